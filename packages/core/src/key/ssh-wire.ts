import { concatBytes, decodeUtf8, utf8 } from '../bytes/bytes.ts'
import { VerifyError } from '../errors.ts'

/** RFC 4251 §5 `uint32`, big-endian. */
export const uint32 = (n: number): Uint8Array => Uint8Array.of(n >>> 24, n >>> 16, n >>> 8, n)

/** RFC 4251 §5 `string`: length, then the bytes. */
export const sshString = (value: Uint8Array | string): Uint8Array => {
  const bytes = typeof value === 'string' ? utf8(value) : value
  return concatBytes(uint32(bytes.length), bytes)
}

/** Reads RFC 4251 values front to back. Whatever does not fit is MALFORMED, and so is what is left over at `end`. */
export function createSshReader(bytes: Uint8Array) {
  let at = 0
  function take(length: number): Uint8Array {
    if (length > bytes.length - at) throw new VerifyError('MALFORMED', 'SSH data ends early')
    at += length
    return bytes.subarray(at - length, at)
  }
  function number(): number {
    const [a, b, c, d] = take(4) as unknown as [number, number, number, number]
    return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0
  }
  const string = () => take(number())
  return {
    take,
    number,
    string,
    text: () => decodeUtf8(string()),
    end() {
      if (at !== bytes.length) throw new VerifyError('MALFORMED', `${bytes.length - at} bytes too many in SSH data`)
    },
  }
}

/** RFC 4251 §5 `mpint` of a non-negative number given as big-endian bytes. */
export function mpint(bytes: Uint8Array): Uint8Array {
  const first = bytes.findIndex((byte) => byte !== 0)
  if (first < 0) return sshString(new Uint8Array())
  const digits = bytes.subarray(first)
  return sshString(digits[0]! > 0x7f ? concatBytes(Uint8Array.of(0), digits) : digits)
}

/** An `mpint` as `length` big-endian bytes: non-negative, shortest form. */
export function fromMpint(value: Uint8Array, length: number): Uint8Array {
  const isNegative = value.length > 0 && value[0]! > 0x7f
  const isPadded = value.length > 0 && value[0] === 0 && !(value.length > 1 && value[1]! > 0x7f)
  const digits = value[0] === 0 ? value.subarray(1) : value
  if (isNegative || isPadded || digits.length > length) throw new VerifyError('MALFORMED', 'bad mpint in SSH data')
  return concatBytes(new Uint8Array(length - digits.length), digits)
}
