import 'server-only'
import { getRequestConfig } from 'next-intl/server'
import messages from '../_messages/en.json'

/** One language so far; where another would be chosen. Times are shown in the reader's own zone, on the client. */
export default getRequestConfig(async () => ({ locale: 'en', messages, timeZone: 'UTC' }))
