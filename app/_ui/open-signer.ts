/** Phones have no windows beside one another. */
const NARROW = '(max-width: 640px)'
const WINDOW = 'popup,width=560,height=860'

/**
 * Opens the signer on what `make` prepares. Call it in the click itself: browsers open no window later, so an empty one is opened first.
 * Without a window, and always on narrow screens, this tab goes there. The signer is of another origin and never talks back: what becomes
 * of it comes over the event stream.
 * @param before called between preparing and leaving, to keep in the URL what this tab must find again
 * @throws what `make` throws; no window stays behind
 */
export async function openSigner<T extends { readonly url: string }>(
  make: () => Promise<T>,
  before?: (made: T) => Promise<unknown>,
): Promise<T> {
  const popup = window.matchMedia(NARROW).matches ? null : window.open('about:blank', '_blank', WINDOW)
  try {
    const made = await make()
    await before?.(made)
    if (popup && !popup.closed) {
      popup.opener = null
      popup.location.replace(made.url)
    } else window.location.assign(made.url)
    return made
  } catch (error) {
    popup?.close()
    throw error
  }
}
