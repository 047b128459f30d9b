/** A text as one word of a shell command, to be shown and copied. */
export const shellWord = (text: string): string => (/^[A-Za-z0-9@._:/=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`)
