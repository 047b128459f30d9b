// Views of two texts, in a chunk of their own: most who edit never open one.
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { MergeView, unifiedMergeView } from '@codemirror/merge'
import { EditorView, keymap } from '@codemirror/view'
import type { Phrases } from './codemirror-base.ts'
import { common, fixed } from './codemirror-base.ts'

/** Two texts as one, with what changed between them. */
export function createDiff({
  parent,
  before,
  after,
  label,
  nonce,
  phrases,
}: {
  parent: HTMLElement
  before: string
  after: string
  label: string
  nonce: string | undefined
  phrases: Phrases
}): Disposable {
  const view = new EditorView({
    parent,
    doc: after,
    extensions: [
      common(nonce, label, phrases),
      fixed,
      unifiedMergeView({ original: before, mergeControls: false, gutter: true, collapseUnchanged: { margin: 3, minSize: 6 } }),
    ],
  })
  return { [Symbol.dispose]: () => view.destroy() }
}

export interface MergeEditor {
  text(): string
  destroy(): void
}

/** Theirs on the left; on the right what will be saved, with an arrow for each place that takes over theirs. */
export function createMerge(options: {
  parent: HTMLElement
  theirs: string
  mine: string
  labels: { theirs: string; mine: string }
  nonce: string | undefined
  phrases: Phrases
}): MergeEditor {
  const { parent, theirs, mine, labels, nonce, phrases } = options
  const view = new MergeView({
    parent,
    a: { doc: theirs, extensions: [common(nonce, labels.theirs, phrases), fixed] },
    b: { doc: mine, extensions: [common(nonce, labels.mine, phrases), history(), keymap.of([...historyKeymap, ...defaultKeymap])] },
    revertControls: 'a-to-b',
    collapseUnchanged: { margin: 3, minSize: 6 },
  })
  return { text: () => view.b.state.doc.toString(), destroy: () => view.destroy() }
}
