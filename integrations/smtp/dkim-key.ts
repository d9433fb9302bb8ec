import { createPrivateKey, type KeyObject } from 'node:crypto';
import { domainToASCII } from 'node:url';

/** What a message is signed with. The public half stands in the DNS at `<selector>._domainkey.<domain>`. */
export interface DkimKey {
  /** `d=`: the domain of the sender's address, or one above it, so that DMARC finds them aligned. ASCII. */
  domain: string;
  /** `s=` */
  selector: string;
  privateKey: KeyObject;
}

/** Thrown when a DKIM configuration cannot be used. `part` is the setting that is wrong; the message never repeats the key. */
export class DkimConfigError extends Error {
  readonly code = 'dkim_config';
  override readonly name = 'DkimConfigError';
  readonly part: 'domain' | 'selector' | 'privateKey';
  constructor(part: DkimConfigError['part'], message: string) {
    super(message);
    this.part = part;
  }
}

// Receivers must not accept shorter keys, signers should take 2048 bits. Source: RFC 8301, section 3.2
const fewestBits = 1024;

/**
 * Read the settings of DKIM.
 * @param settings.privateKey - RSA, as PEM (line breaks may be written `\n`), or the PEM or DER in base64 on one line
 * @throws DkimConfigError naming the wrong setting
 */
export function readDkimKey(settings: { domain: string; selector: string; privateKey: string }): DkimKey {
  const domain = domainToASCII(settings.domain.trim()).toLowerCase();
  if (!/^([a-z0-9_]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/.test(domain)) throw new DkimConfigError('domain', 'is no domain name');
  const selector = settings.selector.trim();
  if (!/^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/.test(selector))
    throw new DkimConfigError('selector', 'is no DNS label: letters, digits and hyphens');
  return { domain, selector, privateKey: readPrivateKey(settings.privateKey) };
}

function readPrivateKey(text: string): KeyObject {
  const key = parsePrivateKey(text.trim());
  if (key === null) throw new DkimConfigError('privateKey', 'is no private key in PEM or base64');
  if (key.asymmetricKeyType !== 'rsa') throw new DkimConfigError('privateKey', 'is no RSA key, the only kind that every receiver checks');
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits < fewestBits) throw new DkimConfigError('privateKey', `has ${bits} bits: receivers ignore keys below ${fewestBits}, take 2048`);
  return key;
}

function parsePrivateKey(text: string): KeyObject | null {
  const pem = text.replaceAll('\\n', '\n');
  const decoded = Buffer.from(text, 'base64');
  const forms = pem.startsWith('-----BEGIN')
    ? [{ key: pem }]
    : [
        { key: decoded.toString('latin1') },
        { key: decoded, format: 'der', type: 'pkcs8' } as const,
        { key: decoded, format: 'der', type: 'pkcs1' } as const,
      ];
  for (const form of forms) {
    try {
      return createPrivateKey(form);
    } catch {
      // Not in this form: the next.
    }
  }
  return null;
}
