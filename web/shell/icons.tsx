import type { ReactNode } from 'react';

const Icon = ({ children }: { children: ReactNode }) => (
  <svg
    viewBox="0 0 20 20"
    width="18"
    height="18"
    fill="none"
    stroke="currentColor"
    strokeWidth="1.5"
    strokeLinecap="round"
    strokeLinejoin="round"
    aria-hidden="true"
    className="shrink-0"
  >
    {children}
  </svg>
);

export const icons = {
  today: (
    <Icon>
      <path d="M3 9.5 10 4l7 5.5V16a1 1 0 0 1-1 1h-4v-4H8v4H4a1 1 0 0 1-1-1z" />
    </Icon>
  ),
  sequences: (
    <Icon>
      <path d="M4 4h5v4H4zM11 12h5v4h-5zM6.5 8v3.5a2.500 2.500 0 0 0 2.500 2.500H11" />
    </Icon>
  ),
  people: (
    <Icon>
      <circle cx="10" cy="7" r="3" />
      <path d="M4 17c.5-3.500 3-5 6-5s5.500 1.500 6 5" />
    </Icon>
  ),
  leads: (
    <Icon>
      <path d="M3 4h14l-5.500 6.500V16l-3 1.500v-7z" />
    </Icon>
  ),
  campaigns: (
    <Icon>
      <path d="M4 8.500v3h2.500L13 15V5L6.500 8.500zM7 12l1 4M15.500 8.500v3" />
    </Icon>
  ),
  offers: (
    <Icon>
      <path d="M3.500 3.500h6L17 11l-6 6-7.500-7.500zM6.500 6.500h.01" />
    </Icon>
  ),
  whyNot: (
    <Icon>
      <circle cx="10" cy="10" r="7" />
      <path d="M8 8a2 2 0 1 1 2.800 1.900c-.6.300-.8.700-.8 1.300M10 14h.01" />
    </Icon>
  ),
  experiments: (
    <Icon>
      <path d="M8 3h4M9 3v5l-4.5 7.5A1 1 0 0 0 5.400 17h9.200a1 1 0 0 0 .9-1.500L11 8V3M7 13h6" />
    </Icon>
  ),
  learning: (
    <Icon>
      <path d="M7.5 14.5a5 5 0 1 1 5 0V16h-5zM8 18h4M10 9v5" />
    </Icon>
  ),
  risk: (
    <Icon>
      <path d="M10 3.500 17.500 16h-15zM10 8.500v3.500M10 14h.01" />
    </Icon>
  ),
  operations: (
    <Icon>
      <path d="M3 10h3l2-5 4 10 2-5h3" />
    </Icon>
  ),
  tasks: (
    <Icon>
      <path d="m4 6 1.500 1.500L8 5M4 13l1.500 1.500L8 12M11 6.500h5M11 13.500h5" />
    </Icon>
  ),
  settings: (
    <Icon>
      <path d="M4 6h7M15 6h1M4 14h1M9 14h7" />
      <circle cx="13" cy="6" r="1.800" />
      <circle cx="7" cy="14" r="1.800" />
    </Icon>
  ),
  menu: (
    <Icon>
      <path d="M3 6h14M3 10h14M3 14h14" />
    </Icon>
  ),
  close: (
    <Icon>
      <path d="m5 5 10 10M15 5 5 15" />
    </Icon>
  ),
  check: (
    <Icon>
      <path d="m4 10 4 4 8-9" />
    </Icon>
  ),
  chevron: (
    <Icon>
      <path d="m6 8 4 4 4-4" />
    </Icon>
  ),
  search: (
    <Icon>
      <circle cx="9" cy="9" r="5" />
      <path d="m13 13 4 4" />
    </Icon>
  ),
  connections: (
    <Icon>
      <path d="M8 12 12 8M7 9 5 11a2.8 2.8 0 0 0 4 4l2-2M9 7l2-2a2.8 2.8 0 0 1 4 4l-2 2" />
    </Icon>
  ),
  notifications: (
    <Icon>
      <path d="M5.500 13V9a4.500 4.500 0 0 1 9 0v4l1.500 1.500H4L5.500 13ZM8.500 17h3" />
    </Icon>
  ),
  team: (
    <Icon>
      <circle cx="7.5" cy="7.5" r="2.5" />
      <path d="M3 16c.3-3 2-4.500 4.500-4.500S11.700 13 12 16M12.500 5.200a2.500 2.500 0 0 1 0 4.600M14 11.800c1.800.5 2.800 2 3 4.200" />
    </Icon>
  ),
  messages: (
    <Icon>
      <path d="M3 5h14v10H3zM3.5 5.500 10 11l6.500-5.500" />
    </Icon>
  ),
  audit: (
    <Icon>
      <path d="M5 3h7l3 3v11H5zM8 9h4M8 12h4" />
    </Icon>
  ),
};
