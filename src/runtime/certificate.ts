/** Node's and OpenSSL's codes of a certificate that is not trusted: waiting does not mend it, a person must. */
const UNTRUSTED = /^(CERT_|ERR_TLS_CERT_|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED_|UNABLE_TO_(GET|VERIFY)_)/;

/** Whether a connection broke because this machine does not trust the certificate it was shown. @param code of the error */
export function isUntrusted(code: string): boolean {
  return UNTRUSTED.test(code);
}
