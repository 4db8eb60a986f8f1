/** What an issuer chose. */
export interface Terms {
  atoms: bigint;
  precision: number;
  ticker: string;
  name: string;
  domain: string;
  reissuable: boolean;
  blinded: boolean;
}
