import {
  DataChangeNotification,
  EventNotificationList,
  PublishRequest,
  RepublishRequest,
  StatusChangeNotification,
  type ClientSession,
  type ClientSessionRawSubscriptionService,
  type PublishResponse,
  type RepublishResponse,
} from 'node-opcua-client';
import type { Ack, Notification, Status, UaValue } from '../service/client.js';
import { faultOf } from '../service/failures.js';
import { eventsIn } from './events.js';
import { decodeStructures, structuresIn } from './structures.js';

/** Notifications in the terms of the library. */

/**
 * How long the server may keep a publish request; it answers with BadTimeout then, and gets another. Several wait, and
 * each is used up by a keep-alive at the latest.
 */
const publishHintMs = 600_000;
const publishHintInBeats = 12;
/** As long as a timer can be. */
const longestHintMs = 0x7fff_ffff;

/** The library's session with the services that its public interface leaves out. */
export interface RawSession extends ClientSession, ClientSessionRawSubscriptionService {
  startKeepAliveManager: (intervalMs: number) => void;
  publish: (
    request: PublishRequest,
    done: (error: Error | null, answer?: PublishResponse) => void,
  ) => void;
  republish: (
    request: RepublishRequest,
    done: (error: Error | null, answer?: RepublishResponse) => void,
  ) => void;
}

/**
 * See `UaSession.publish`.
 * @param slowestBeat longest time between two keep-alives, ms
 */
export function publish(
  raw: RawSession,
  acks: readonly Ack[],
  slowestBeat: number,
): Promise<Notification> {
  const hint = Math.max(publishHintMs, publishHintInBeats * slowestBeat);
  const request = new PublishRequest({
    requestHeader: { timeoutHint: Math.min(hint, longestHintMs) },
    subscriptionAcknowledgements: [...acks],
  });
  return new Promise((resolve, reject) => {
    raw.publish(request, (error, answer) => {
      if (error || !answer) reject(faultOf(error ?? 'no answer'));
      else resolve(received(raw, answer.subscriptionId, answer, answer.moreNotifications));
    });
  });
}

/** See `UaSession.republish`. */
export function republish(
  raw: RawSession,
  subscription: number,
  sequence: number,
): Promise<Notification | undefined> {
  const request = new RepublishRequest({
    subscriptionId: subscription,
    retransmitSequenceNumber: sequence,
  });
  return new Promise((resolve, reject) => {
    raw.republish(request, (error, answer) => {
      if (answer) resolve(received(raw, subscription, answer, true));
      else if (/BadMessageNotAvailable/.test(error?.message ?? '')) resolve(undefined);
      else reject(faultOf(error ?? 'no answer'));
    });
  });
}

/** A notification with its structures decoded; at once where there is none. */
async function received(
  raw: ClientSession,
  subscription: number,
  answer: PublishResponse | RepublishResponse,
  hasMore: boolean,
): Promise<Notification> {
  const data = (answer.notificationMessage.notificationData ?? []).filter(
    (one) => one instanceof DataChangeNotification,
  );
  const values = data.flatMap(({ monitoredItems }) =>
    structuresIn((monitoredItems ?? []).map(({ value }) => value)),
  );
  await decodeStructures(raw, values);
  return notificationOf(subscription, answer, hasMore);
}

/** Unix ms; undefined for a time that is not set, which comes as one of the year 1601. */
function setTime(date: Date | null): number | undefined {
  const ms = date?.getTime() ?? 0;
  return ms > 0 ? ms : undefined;
}

function notificationOf(
  subscription: number,
  answer: PublishResponse | RepublishResponse,
  hasMore: boolean,
): Notification {
  const { sequenceNumber, notificationData, publishTime } = answer.notificationMessage;
  const isRepeated = !('moreNotifications' in answer);
  const changes: { clientHandle: number; value: UaValue }[] = [];
  const events: Notification['events'][number][] = [];
  let ended: Status | undefined;
  for (const data of notificationData ?? []) {
    if (data instanceof EventNotificationList) events.push(...eventsIn(data));
    else if (data instanceof DataChangeNotification)
      for (const item of data.monitoredItems ?? []) changes.push(item);
    else if (data instanceof StatusChangeNotification) ended = data.status;
  }
  return {
    subscription,
    sequence: sequenceNumber,
    changes,
    events,
    ended,
    isKeepAlive: (notificationData?.length ?? 0) === 0,
    hasMore,
    isRepeated,
    // One that is sent again was published long ago, and what it tells is older by that much.
    sentAt: setTime(answer.responseHeader.timestamp) ?? setTime(publishTime) ?? NaN,
  };
}
