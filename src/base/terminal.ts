/** Whether the environment allows colours: https://no-color.org, and TERM=dumb. */
export const mayColour = ({ NO_COLOR, TERM }: Readonly<Record<string, string | undefined>>): boolean =>
  !NO_COLOR && TERM !== 'dumb';
