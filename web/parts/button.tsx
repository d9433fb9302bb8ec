import type { ComponentProps } from 'react';

type Look = 'plain' | 'main' | 'danger' | 'quiet';
const looks: Record<Look, string> = {
  plain: 'border border-line-strong bg-surface text-ink hover:bg-sunken',
  main: 'border border-transparent bg-accent text-accent-ink hover:brightness-110',
  danger: 'border border-bad/40 bg-surface text-bad hover:bg-bad-soft',
  quiet: 'border border-transparent text-soft hover:bg-sunken hover:text-ink',
};

export const buttonLook = (look: Look = 'plain'): string =>
  `inline-flex min-h-8 items-center justify-center gap-1.5 rounded-md px-3 text-[0.8125rem] font-medium whitespace-nowrap transition-colors disabled:cursor-not-allowed disabled:opacity-50 pointer-coarse:min-h-11 ${looks[look]}`;

export function Button({ look = 'plain', className = '', ...rest }: ComponentProps<'button'> & { look?: Look }) {
  return <button type="button" {...rest} className={`${buttonLook(look)} ${className}`} />;
}
