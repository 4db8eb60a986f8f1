mod bitcoin;
mod sidechain;
