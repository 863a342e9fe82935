//! What the fuzz targets check. Each module is one target: `check` takes the bytes and panics where handprint breaks
//! a promise. `fuzz/README.md` lists the promises and says how to run the targets.

pub mod capture;
pub mod certificate;
pub mod client_hello;
pub mod dtls;
pub mod engine;
pub mod fragments;
pub mod frame;
pub mod oracle;
pub mod program;
#[cfg(fuzzing)]
pub mod quic;
pub mod records;
pub mod recut;
pub mod server_hello;
pub mod starttls;
pub mod tunnels;
