import type { Mistake } from './mistakes.ts';
import type { Environment } from './variables.ts';

type Cloud = {
  readonly graphUrl: string;
  /** Hosts that give tokens for it; the first is the one to set. */
  readonly logins: readonly [string, ...string[]];
};

/** Microsoft's clouds beside the worldwide one: https://learn.microsoft.com/graph/deployments */
export const NATIONAL_CLOUDS: readonly Cloud[] = [
  { graphUrl: 'https://graph.microsoft.us', logins: ['login.microsoftonline.us'] },
  { graphUrl: 'https://dod-graph.microsoft.us', logins: ['login.microsoftonline.us'] },
  {
    graphUrl: 'https://microsoftgraph.chinacloudapi.cn',
    logins: ['login.chinacloudapi.cn', 'login.partner.microsoftonline.cn'],
  },
];

const WORLDWIDE_LOGINS = ['login.microsoftonline.com', 'login.microsoft.com', 'login.windows.net'];

/**
 * A national cloud of which only one address was set, or two addresses of different clouds. The token would be asked
 * of one cloud for the other, and what comes of that is a refusal which names neither setting. Addresses that are
 * nobody's may be proxies and are left alone, except that a Graph which is nobody's is asked for as the worldwide one.
 */
export function halfANationalCloud(values: Environment): Mistake[] {
  const { CADENCED_MICROSOFT_GRAPH_URL: graph, CADENCED_MICROSOFT_TOKEN_URL: token } = values;
  const login = token === undefined ? null : new URL(token).hostname;
  const asked = NATIONAL_CLOUDS.find(({ graphUrl }) => graphUrl === graph);
  const signedInAt = NATIONAL_CLOUDS.filter(({ logins }) => login !== null && logins.includes(login));
  if (asked !== undefined) {
    const isProxy = login !== null && signedInAt.length === 0 && !WORLDWIDE_LOGINS.includes(login);
    if (isProxy || signedInAt.includes(asked)) return [];
    return [mistake('CADENCED_MICROSOFT_TOKEN_URL', token, [asked], values)];
  }
  return signedInAt.length === 0 ? [] : [mistake('CADENCED_MICROSOFT_GRAPH_URL', graph, signedInAt, values)];
}

function mistake(
  source: string,
  value: string | undefined,
  clouds: readonly Cloud[],
  { CADENCED_MICROSOFT_TENANT: tenant = 'TENANT' }: Environment,
): Mistake {
  const lines = clouds.map(
    ({ graphUrl, logins: [login] }) =>
      `CADENCED_MICROSOFT_GRAPH_URL=${graphUrl} and CADENCED_MICROSOFT_TOKEN_URL=https://${login}/${tenant}/oauth2/v2.0/token`,
  );
  const expected = `both addresses of a national cloud: ${lines.join(', or ')}`;
  return { source, expected, value: value === undefined ? null : JSON.stringify(value) };
}
