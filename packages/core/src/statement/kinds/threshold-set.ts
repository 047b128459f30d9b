import type { Shape } from '../../bytes/shape.ts'
import { object } from '../../bytes/shape.ts'
import type { Kind } from '../kind.ts'
import type { Thresholds } from '../state.ts'
import { checkReachable, thresholdsShape } from '../thresholds.ts'
import { thresholdTexts } from '../wording.ts'

export type ThresholdSetBody = { readonly thresholds: Thresholds }
const body: Shape<ThresholdSetBody> = object({ thresholds: thresholdsShape })

/** How many administrators decide what. */
export const thresholdSet: Kind<ThresholdSetBody> = {
  title: 'Change thresholds',
  body,
  classOf: () => 'root',
  describe: ({ thresholds }, _, state) => ['This changes who must agree.', ...thresholdTexts(thresholds, state?.thresholds)],
  apply(state, { body }) {
    const next = { ...state, thresholds: body.thresholds }
    checkReachable(next)
    return { state: next, after: true }
  },
}
