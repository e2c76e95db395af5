// The page for support agents. Whoever changes what a text or a reply does changes it here too.
import { staleAfterMs } from '../../delivery.js'
import { startWords, stopWords } from '../../message.js'
import type { GuideFacts } from './facts.js'

export function guidePage(facts: GuideFacts): string {
  const { relayBots, reopens, lateAfterMs } = facts
  const late = inWords(lateAfterMs)
  const retried = inWords(staleAfterMs['agent-reply'])
  return `# Text messages in Intercom

Customers text us, you answer in Intercom as in any other conversation, and your answer arrives as a text on their
phone. This page says what is different from chat and email.

## Our numbers

${numbersTable(facts)}

Assign a conversation to whom you like: later texts in it do not move it back.

## What you see

- A text is a message from the customer. Whoever has a contact with that phone number appears under their own name,
  anybody else as a new lead named by the number.
- Pictures and files are named, not carried: \`[attachment: image/jpeg, see message MM… in Twilio]\`. Ask whoever runs the
  bridge to look it up in Twilio, or ask the customer to send it by email.
- A text with nothing in it reads \`[empty text]\`.
- \`[delayed, sent 14:02]\` in front of a text: it reached us more than ${late} after it was sent, at that time in the
  workspace’s time zone. Your replies carry the same mark when they leave that late.

## One conversation at a time

- While a conversation is open or snoozed, all that this customer texts to the same number of ours goes into it. After it
  was closed or deleted, their next text begins a new one.${
    reopens
      ? '\n- At some of our numbers a conversation that was closed not long ago is opened again instead (`SMS_BRIDGE_REOPEN`).'
      : ''
  }
- Whoever texts two of our numbers has two conversations, one for each.
- A reply goes to the phone that texted, from the number it texted. Changing the phone number of the contact changes
  nothing about that.
- You may also reply in a closed conversation that began with a text: it is texted. The customer’s answer goes into the
  newest of their conversations with this number of ours, or begins a new one if that is closed.

${outsideHours(facts)}## What is texted, and what is not

- Everything you write for the customer is texted, also when you close, assign or reopen with the same click, and in the
  order in which you wrote it.
- Private notes are never texted.
- ${relayBots ? 'What bots write is texted too' : 'What bots write is not texted. Whoever runs the bridge can change that'} (\`SMS_BRIDGE_RELAY_BOTS=true\`).
- Some texts come from a name instead of a number (a shop, a bank). They cannot be answered: nothing is sent.
- What you delete before it was sent is not sent. What was sent cannot be taken back.

| you write                     | the customer gets                                             |
| ----------------------------- | ------------------------------------------------------------- |
| bold, italics, headings, code | the words alone                                               |
| paragraphs and line breaks    | the same                                                      |
| lists, numbered or not        | lines that begin with “- ”; the numbers are lost              |
| a link with words             | the words and the address: \`our prices (https://example.com)\` |
| a picture in the reply        | its address                                                   |
| an attached file              | its name and its address; the address may stop working        |
| emoji                         | the same                                                      |

## Long replies

- Texts are counted and paid for in segments. 160 characters fit into one; with a single emoji or another character
  outside the plain alphabet of text messages only 70 do. What is longer goes in several segments, which phones show as
  one text.
- More than 1,600 characters are sent as several texts, parted between words.

## STOP and START

- A text that is only one of these words, in capitals or not, means that the customer wants no more texts:
  ${list(stopWords)}.
  Twilio confirms it to them by itself and from then on refuses every reply from that number of ours. You see the word
  in the conversation; replies after it do not arrive.
- ${list(startWords)} mean that they want texts again (for toll-free numbers, YES does not count). Replies
  that were refused in between are not sent afterwards.
- Only the word alone counts. If somebody writes “please stop texting me”, nothing is blocked: do not text them again.
- HELP and INFO are answered by Twilio too. You see them like any other text.${shortCodeNote(facts)}

## When a reply does not arrive

A private note in the conversation says so, with the beginning of the reply, the cause and what to do. No note means that
nothing is known to be wrong: a fault in passing is told of once it has lasted some minutes. A conversation that is closed
or snoozed is opened for it, unless that happened minutes ago or a bot wrote the reply.

| the note begins with | what happened                                              | what you do                                     |
| -------------------- | ---------------------------------------------------------- | ----------------------------------------------- |
| Not texted yet       | it could not be sent, and is tried again by itself         | wait: the customer would get both               |
| Will not be texted   | whoever runs the bridge took it out                        | as the note says                                |
| Texted after all     | it was sent in the end                                     | nothing                                         |
| Not texted           | it was not sent, and stays unsent unless somebody steps in | as the note says; ask before you write it again |
| Only texted in part  | the first of its texts left, the rest did not              | as the note says                                |
| Not delivered        | it was sent, and the carrier could not deliver it          | as the note says; nothing tries it again        |
| Perhaps not …        | Twilio cannot tell, or says two things                     | as the note says; ask the customer in doubt     |
| … cannot be answered | the text came from a machine that takes none               | reach the customer another way                  |

- The name in brackets (\`d_17\`) tells whoever runs the bridge which reply it is: \`sms-bridge dlq show d_17\`.
- A reply is tried again for ${retried}. Your later replies to that customer wait for it, ${late} at most after the note.
- If Twilio as a whole is down, replies wait until it is back, without a note, and then carry the mark of lateness.

## Please do not

- begin a new conversation in Intercom to text somebody: it is not texted, and neither is anything you write in it. Reply
  in a conversation that began with their text.
- reply by text to somebody who wrote STOP, or who asked in their own words for no more texts.
- close a conversation to tidy up while you wait for an answer: the answer begins a new one. Snooze it.

Merging two contacts of one customer does no harm: their conversation goes on.`
}

function numbersTable({ numbers, otherTeam }: GuideFacts): string {
  const nobody = 'nobody: they stay unassigned'
  if (numbers.length === 0 && otherTeam === undefined) {
    return 'Ask whoever runs the bridge which of our numbers customers may text. New conversations stay unassigned.'
  }
  const rows = numbers.map(({ number, team }) => [number, team === undefined ? nobody : escaped(team)])
  const others = otherTeam === undefined ? [] : [['any other number', escaped(otherTeam)]]
  return table(['our number', 'new conversations go to'], [...rows, ...others])
}

function outsideHours({ away }: GuideFacts): string {
  if (away === undefined) return ''
  const always = 'no hours: no automatic text'
  const rows = away.hours.map(({ number, words }) => [number, words === undefined ? always : escaped(words)])
  const others = away.otherHours === undefined ? [] : [['any other number', escaped(away.otherHours)]]
  const opens = away.text.includes('{opens}')
    ? '`{opens}` becomes the time at which that number opens, such as “Monday at 9:00 AM”.\n  '
    : ''
  return `## Outside our hours

${table(['our number', 'is open (24-hour clock)'], [...rows, ...others])}

- Who texts a number while it is closed gets one automatic text, once in each closed time, however often they write:

  > ${escaped(away.text)}

  ${opens}Whoever runs the bridge can change the text (\`SMS_BRIDGE_AWAY_TEXT\`) and the days that are closed
  (\`SMS_BRIDGE_HOLIDAYS\`).
- You see it as a private note in the conversation. The text itself still waits for your answer.
- No automatic text goes to short codes and other machines, to words such as STOP and HELP, to somebody who seems to ask
  for no more texts, or when a teammate has already answered since the number closed.

`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows]
  return lines.map((row) => `| ${row.join(' | ')} |`).join('\n')
}

function shortCodeNote({ numbers }: GuideFacts): string {
  const codes = numbers.map(({ number }) => number).filter((number) => !number.startsWith('+'))
  if (codes.length === 0) return ''
  return `\n- For ${codes.join(' and ')} these words do what was set up at Twilio: ask whoever runs the bridge.`
}

const escaped = (text: string) => text.replace(/\s+/g, ' ').replace(/[\\`*_|<>[\]#]/g, '\\$&')

function list(words: readonly string[]): string {
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}

function inWords(ms: number): string {
  const [count, unit] =
    ms > 0 && ms % 3_600_000 === 0
      ? [ms / 3_600_000, 'hour']
      : ms > 0 && ms % 60_000 === 0
        ? [ms / 60_000, 'minute']
        : [ms / 1000, 'second']
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}
