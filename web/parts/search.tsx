import { type FormEvent, useEffect, useState } from 'react';
import { Button } from './button.tsx';
import { inputLook } from './labelled.tsx';

/** An address has an @, a number is digits; anything else is an id of the source's. */
export function searchOf(text: string): { email?: string; phone?: string; external_id?: string } {
  if (text === '') return {};
  if (text.includes('@')) return { email: text };
  return /^[+(]?[\d\s()/-]{6,}$/.test(text) && /^[+0(]/.test(text) ? { phone: text } : { external_id: text };
}

/** Finds a person by what they are known by. @param value - as the address of the page has it */
export function Search({ value, onSearch }: { value: string; onSearch: (text: string) => void }) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const search = (event: FormEvent) => {
    event.preventDefault();
    onSearch(text.trim());
  };
  return (
    <form role="search" onSubmit={search} className="flex max-w-xl gap-2">
      <label className="min-w-0 flex-1">
        <span className="sr-only">Email address, telephone number or id</span>
        <input
          type="search"
          value={text}
          placeholder="Email address, telephone number or id"
          onChange={(event) => setText(event.target.value)}
          className={inputLook}
          autoComplete="off"
          spellCheck={false}
        />
      </label>
      <Button type="submit">Search</Button>
    </form>
  );
}
