import { createDecipheriv, createECDH, createPublicKey, hkdfSync, randomBytes, verify } from 'node:crypto';
import { pushAddress } from '../../domain/people/push-subscription.ts';

/** A browser's half of Web Push: it subscribes, and reads what comes. Written from RFC 8188, 8291 and 8292, and not by the library that sends. */
export function aBrowser(endpoint = 'https://fcm.googleapis.com/fcm/send/an-invented-registration') {
  const ecdh = createECDH('prime256v1');
  const p256dh = ecdh.generateKeys();
  const auth = randomBytes(16);
  const subscription = { endpoint, keys: { p256dh: p256dh.toString('base64url'), auth: auth.toString('base64url') } };
  return {
    /** As `PushSubscription.toJSON()` gives it to the page. */
    subscription,
    /** @param subjectId - what the page had before it; null: the subscription is the person's own */
    address(subjectId: string | null = null): string {
      const address = pushAddress({ endpoint, ...subscription.keys, subjectId });
      if (address === null) throw new Error('this is no subscription');
      return address;
    },
    /** The message in a body of `aes128gcm`. @throws where it is for another browser or was changed */
    read(body: Buffer): unknown {
      const [salt, idLength] = [body.subarray(0, 16), body.readUInt8(20)];
      const [sender, sealed] = [body.subarray(21, 21 + idLength), body.subarray(21 + idLength)];
      const shared = Buffer.from(
        hkdfSync('sha256', ecdh.computeSecret(sender), auth, Buffer.concat([Buffer.from('WebPush: info\0'), p256dh, sender]), 32),
      );
      const key = Buffer.from(hkdfSync('sha256', shared, salt, 'Content-Encoding: aes128gcm\0', 16));
      const nonce = Buffer.from(hkdfSync('sha256', shared, salt, 'Content-Encoding: nonce\0', 12));
      const decipher = createDecipheriv('aes-128-gcm', key, nonce);
      decipher.setAuthTag(sealed.subarray(-16));
      const padded = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
      return JSON.parse(padded.subarray(0, padded.lastIndexOf(2)).toString('utf8'));
    },
  };
}

/** What a push service checks before it takes a message: `Authorization: vapid t=…, k=…`. @throws where the token was not signed by that key */
export function claimsOf(authorization: string): { key: string; claims: { aud: string; exp: number; sub: string } } {
  const [, token = '', key = ''] = /^vapid t=([\w.-]+), ?k=([\w-]+)$/.exec(authorization) ?? [];
  const [head = '', claims = '', signature = ''] = token.split('.');
  const point = Buffer.from(key, 'base64url');
  const jwk = { kty: 'EC', crv: 'P-256', x: point.subarray(1, 33).toString('base64url'), y: point.subarray(33).toString('base64url') };
  const isSigned = verify(
    'sha256',
    Buffer.from(`${head}.${claims}`),
    { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  );
  if (!isSigned) throw new Error('the token was not signed by its key');
  return { key, claims: JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')) as { aud: string; exp: number; sub: string } };
}
