// Points in time for people, in the time zone of their machine.

const two = (count: number) => String(count).padStart(2, '0')

/** `2026-11-22 14:02:07` */
export function dateTime(at: number): string {
  const time = new Date(at)
  const day = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('-')
  return `${day} ${clockTime(at)}:${two(time.getSeconds())}`
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `14:02`, or `21 Nov 14:02` when that is not today. */
export function shortTime(at: number, now: number): string {
  const [time, today] = [new Date(at), new Date(now)]
  const isToday = time.toDateString() === today.toDateString()
  return isToday ? clockTime(at) : `${time.getDate()} ${months[time.getMonth()]} ${clockTime(at)}`
}

function clockTime(at: number): string {
  const time = new Date(at)
  return `${two(time.getHours())}:${two(time.getMinutes())}`
}
