/** What this device keeps for this origin. Values survive structured cloning; a key that cannot be exported stays one. */
export interface Store {
  get<T>(key: string): Promise<T | undefined>
  set(key: string, value: unknown): Promise<void>
  delete(key: string): Promise<void>
  keys(): Promise<readonly string[]>
}

const NAME = 'postern-signer'
const TABLE = 'kept'

/** The browser's IndexedDB. @throws what the browser says when it keeps nothing (private windows of some) */
export async function openStore(): Promise<Store> {
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    const opening = indexedDB.open(NAME, 1)
    opening.onupgradeneeded = () => opening.result.createObjectStore(TABLE)
    opening.onsuccess = () => resolve(opening.result)
    opening.onerror = () => reject(opening.error)
  })
  const read = <T>(ask: (table: IDBObjectStore) => IDBRequest<T>) =>
    new Promise<T>((resolve, reject) => {
      const request = ask(database.transaction(TABLE, 'readonly').objectStore(TABLE))
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => reject(request.error)
    })
  /** Resolves when it is on disk, as far as the browser lets anybody know. */
  const write = (change: (table: IDBObjectStore) => void) =>
    new Promise<void>((resolve, reject) => {
      const transaction = database.transaction(TABLE, 'readwrite', { durability: 'strict' })
      transaction.oncomplete = () => resolve()
      transaction.onerror = () => reject(transaction.error)
      transaction.onabort = () => reject(transaction.error)
      change(transaction.objectStore(TABLE))
    })
  return {
    get: (key) => read((table) => table.get(key)),
    set: (key, value) => write((table) => table.put(value, key)),
    delete: (key) => write((table) => table.delete(key)),
    keys: async () => (await read((table) => table.getAllKeys())).map(String),
  }
}
