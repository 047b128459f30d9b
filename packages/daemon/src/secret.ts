import { inspect } from 'node:util'

/** Holds a secret so that logging, formatting or serialising the holder shows `[secret]`. Only `expose()` gives it out. */
export class Secret<T = string> {
  readonly #value: T

  constructor(value: T) {
    this.#value = value
  }

  expose(): T {
    return this.#value
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  [inspect.custom](): string {
    return '[secret]'
  }
}
