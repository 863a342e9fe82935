//! Zero-copy TLS messages and the code points in them.

pub mod codepoints;
