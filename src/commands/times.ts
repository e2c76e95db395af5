// Points in time for people, in the time zone of their machine.

const two = (count: number) => String(count).padStart(2, '0')

/** `2026-11-22 14:02:07` */
export function dateTime(at: number): string {
  const time = new Date(at)
  const day = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('-')
  return `${day} ${clockTime(at)}:${two(time.getSeconds())}`
}

/** `14:02` */
export function clockTime(at: number): string {
  const time = new Date(at)
  return `${two(time.getHours())}:${two(time.getMinutes())}`
}
