/** What one notification of a provider says, whatever its form was. Not believed before its secret was checked. */
export interface Hint {
  /** The provider's name of the channel: Google's channel id, Graph's subscription id. */
  readonly channel: string;
  /** What came back as proof; `null` where nothing did. */
  readonly secret: string | null;
  /** Google's resource id; `null` at Microsoft. */
  readonly resourceId: string | null;
  /**
   * - `opened`: the channel begins to work (Google's `sync` message); nothing need have changed.
   * - `changed`: look.
   * - `missed`: the provider dropped some: look as well.
   * - `renew`: it ends soon unless it is renewed now.
   * - `removed`: it was ended by the provider; open another, and look.
   */
  readonly says: 'opened' | 'changed' | 'missed' | 'renew' | 'removed';
}

/** Reads one request of a provider's notifier; what is not understood gives no hint. */
export type ReadNotification = (
  headers: Readonly<Record<string, string | undefined>>,
  body: unknown,
) => readonly Hint[];
