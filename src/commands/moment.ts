/** So long ago, ms, or then, epoch ms. */
export type Moment = { readonly agoMs: number } | { readonly at: number }

export const timeOf = (moment: Moment, now: number) => ('at' in moment ? moment.at : now - moment.agoMs)
