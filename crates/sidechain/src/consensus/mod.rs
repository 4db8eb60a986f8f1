//! What every participant must agree on: header, proof, peg and block rules of Elements.
