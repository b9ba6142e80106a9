import { generateKeyPair, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import forge from 'node-forge';

/** What a TLS server shows and proves, as PEM. */
export interface Certificate {
  key: string;
  cert: string;
}

const dayMs = 24 * 3600 * 1000;

/**
 * Makes a key and a certificate for this machine. Whoever trusts it trusts nothing else with it: it is its own issuer,
 * but none for others. Node reads certificates and can't make any.
 */
export async function createCertificate(): Promise<Certificate> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey);
  // RFC 5280, 4.1.2.2: positive, at most 20 bytes, and never the same again for this name.
  certificate.serialNumber = `01${randomBytes(18).toString('hex')}`;
  certificate.validity.notBefore = new Date(Date.now() - dayMs);
  certificate.validity.notAfter = new Date(Date.now() + 7 * dayMs);
  const name = [{ name: 'commonName', value: 'callgate simulator' }];
  certificate.setSubject(name);
  certificate.setIssuer(name);
  certificate.setExtensions([
    { name: 'basicConstraints', critical: true, cA: false },
    { name: 'keyUsage', critical: true, digitalSignature: true, keyEncipherment: true },
    { name: 'extKeyUsage', serverAuth: true },
    { name: 'subjectKeyIdentifier' },
    {
      name: 'subjectAltName',
      altNames: [dnsName('localhost'), ipAddress('127.0.0.1'), ipAddress('::1')],
    },
  ]);
  certificate.sign(forge.pki.privateKeyFromPem(privateKey), forge.md.sha256.create());
  return { key: privateKey, cert: forge.pki.certificateToPem(certificate) };
}

// The kinds of a GeneralName (RFC 5280, 4.2.1.6).
const dnsName = (value: string) => ({ type: 2, value });
const ipAddress = (ip: string) => ({ type: 7, ip });
