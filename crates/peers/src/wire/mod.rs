//! The Bitcoin P2P transport (protocol 70016, v1), as Bitcoin and Elements nodes speak it.
//!
//! [`message`] reads and writes messages, [`frame`] puts them on a stream under size and time limits, [`session`] holds one
//! connection, [`pool`] keeps a set of peers connected.

pub(crate) mod frame;
pub(crate) mod message;
pub(crate) mod pool;
pub(crate) mod session;

pub(crate) use message::Message;
pub(crate) use pool::{Peer, Pool, PoolEvent};
pub(crate) use session::Misconduct;
