/** What a conference record is filtered by. */
export interface Filterable {
  meetingCode: string;
  space: string;
  startTime: number;
  /** Null while the call goes on. */
  endTime: number | null;
}

export type MeetFilter = (record: Filterable) => boolean;

const CLAUSE =
  /^(space\.meeting_code|space\.name|start_time|end_time)\s*(?:(IS\s+NULL)|(>=|<=|=|>|<)\s*"([^"]*)")$/i;

/**
 * Reads the filter of `conferenceRecords.list`: clauses joined by AND over meeting code, space and times,
 * https://developers.google.com/workspace/meet/api/reference/rest/v2/conferenceRecords/list. Null = unreadable.
 */
export function readMeetFilter(text: string): MeetFilter | null {
  if (text.trim() === '') return () => true;
  const clauses = text
    .trim()
    .split(/\s+AND\s+/i)
    .map(readClause);
  if (clauses.includes(null)) return null;
  return (record) => clauses.every((clause) => clause?.(record));
}

function readClause(text: string): MeetFilter | null {
  const [, field, isNull, operator, value = ''] = CLAUSE.exec(text.trim()) ?? [];
  if (field === undefined) return null;
  if (isNull !== undefined) {
    return field.toLowerCase() === 'end_time' ? (record) => record.endTime === null : null;
  }
  if (field === 'space.meeting_code')
    return operator === '=' ? (record) => record.meetingCode === value : null;
  if (field === 'space.name') return operator === '=' ? (record) => record.space === value : null;
  const bound = Date.parse(value);
  if (Number.isNaN(bound)) return null;
  return (record) => {
    const time = field === 'start_time' ? record.startTime : record.endTime;
    return time !== null && compare(time, operator ?? '=', bound);
  };
}

function compare(time: number, operator: string, bound: number): boolean {
  if (operator === '>=') return time >= bound;
  if (operator === '<=') return time <= bound;
  if (operator === '>') return time > bound;
  return operator === '<' ? time < bound : time === bound;
}
