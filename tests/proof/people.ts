import type { HistoryPlan, Scene } from './plan.ts';

/** Numbers that could exist, none used by two histories. */
let nextNumber = 3_220_000;

/** Whether the owner of a run is known by a telephone number and nothing else. */
export const isNumberAlone = ({ shape }: Pick<Scene, 'shape'>, run: number): boolean => shape === 'number_alone' && run === 1;

/** The two persons of a history, and what they are known by. A name is an email address, a number or a customer's id. */
export class People {
  readonly #id: string;
  readonly #plan: HistoryPlan;
  readonly #numbers = [`+1202${nextNumber++}`, `+1202${nextNumber++}`] as const;

  constructor(plan: HistoryPlan, id: string) {
    this.#plan = plan;
    this.#id = id;
  }

  /** The name that stops and events use. */
  nameOf(person: 0 | 1): string {
    return isNumberAlone(this.#plan, person) ? this.phone(1) : `p${person + 1}.${this.#id}@example.com`;
  }

  /** What the second person alone is known by, and the first may turn out to be known by too. */
  secondName(): string {
    return this.#plan.shape === 'number_alone' ? this.phone(1) : `customer-${this.#id}`;
  }

  /** The number of a person. Where a number is shared, the second has the first one's: that joins nobody. */
  phone(person: 0 | 1): string {
    return this.#numbers[person === 0 || this.#plan.shape === 'shared_number' ? 0 : 1];
  }

  /** The number of whoever has this name. */
  numberOf(name: string): string {
    return this.phone(name === this.nameOf(1) ? 1 : 0);
  }

  /** A name as the contact of an event. */
  contact(name: string): Record<string, string> {
    return name.startsWith('+') ? { phone: name } : name.includes('@') ? { email: name } : { id: name };
  }

  /** Everything that a person is known by at first. */
  known(person: 0 | 1): Record<string, string> {
    return {
      ...this.contact(this.nameOf(person)),
      ...(this.#plan.texts ? { phone: this.phone(person) } : {}),
      ...(person === 1 && this.#plan.shape === 'two_persons' ? this.contact(this.secondName()) : {}),
    };
  }

  /** The id of a run's subject at its source. */
  token(run: number): string {
    return `subject-${run + 1}-${this.#id}`;
  }
}
