import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  bitString,
  boolean,
  explicit,
  integer,
  nullValue,
  objectIdentifier,
  octetString,
  sequence,
  set,
  utcTime,
  utf8,
} from './der';

export interface Identity {
  key: string;
  /** The leaf and, as newer printers send it, the CA behind it. */
  certificate: string;
  caFile: string;
}

const COMMON_NAME = '2.5.4.3';
const SHA256_WITH_RSA = '1.2.840.113549.1.1.11';
const BASIC_CONSTRAINTS = '2.5.29.19';
const KEY_USAGE = '2.5.29.15';
const YEARS = 20;

/**
 * The printer's TLS identity: a leaf whose only name is CN = serial, without subject alternative names, signed by a test
 * CA of its own (protocol notes, sections 1.3 and 8.1). Made once and kept in the data directory.
 */
export function loadIdentity(directory: string, serial: string): Identity {
  const files = {
    ca: join(directory, 'ca.pem'),
    caKey: join(directory, 'ca-key.pem'),
    leaf: join(directory, `leaf-${serial}.pem`),
    leafKey: join(directory, `leaf-${serial}-key.pem`),
  };
  if (!existsSync(files.caKey) || !existsSync(files.ca)) {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const name = `Platewise simulator CA ${randomBytes(4).toString('hex')}`;
    const certificate = makeCertificate({
      subject: name,
      issuer: name,
      subjectKey: publicKey,
      issuerKey: privateKey,
      ca: true,
    });
    writeFileSync(files.caKey, pem(privateKey), { mode: 0o600 });
    writeFileSync(files.ca, certificate);
  }
  if (!existsSync(files.leafKey) || !existsSync(files.leaf)) {
    const caKey = createPrivateKey(readFileSync(files.caKey));
    const issuer = commonNameOf(readFileSync(files.ca, 'utf8'));
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const certificate = makeCertificate({
      subject: serial,
      issuer,
      subjectKey: publicKey,
      issuerKey: caKey,
      ca: false,
    });
    writeFileSync(files.leafKey, pem(privateKey), { mode: 0o600 });
    writeFileSync(files.leaf, certificate);
  }
  return {
    key: readFileSync(files.leafKey, 'utf8'),
    certificate: readFileSync(files.leaf, 'utf8') + readFileSync(files.ca, 'utf8'),
    caFile: files.ca,
  };
}

interface CertificateRequest {
  subject: string;
  issuer: string;
  subjectKey: KeyObject;
  issuerKey: KeyObject;
  ca: boolean;
}

/** An X.509 v3 certificate in PEM (RFC 5280), signed with SHA-256 and RSA. */
function makeCertificate({ subject, issuer, subjectKey, issuerKey, ca }: CertificateRequest): string {
  const algorithm = sequence(objectIdentifier(SHA256_WITH_RSA), nullValue());
  const now = Date.now();
  const day = 24 * 3600 * 1000;
  const constraints = sequence(
    objectIdentifier(BASIC_CONSTRAINTS),
    boolean(true),
    octetString(ca ? sequence(boolean(true)) : sequence()),
  );
  // keyCertSign and cRLSign for the CA; digitalSignature and keyEncipherment for the leaf.
  const usage = sequence(
    objectIdentifier(KEY_USAGE),
    boolean(true),
    octetString(bitString(Buffer.from([ca ? 0x06 : 0xa0]), ca ? 1 : 5)),
  );
  const body = sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([0x01]), randomBytes(15)])),
    algorithm,
    distinguishedName(issuer),
    sequence(utcTime(new Date(now - day)), utcTime(new Date(now + YEARS * 365 * day))),
    distinguishedName(subject),
    subjectKey.export({ type: 'spki', format: 'der' }),
    explicit(3, sequence(constraints, usage)),
  );
  const signature = sign('sha256', body, issuerKey);
  const der = sequence(body, algorithm, bitString(signature, 0));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function distinguishedName(commonName: string): Buffer {
  return sequence(set(sequence(objectIdentifier(COMMON_NAME), utf8(commonName))));
}

function commonNameOf(certificate: string): string {
  return new X509Certificate(certificate).subject.replace(/^CN=/, '');
}

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
