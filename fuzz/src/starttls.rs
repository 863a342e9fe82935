//! A conversation that begins in clear: STARTTLS and its kin, proxies. The input is that of [`crate::recut`].
//!
//! Cut into segments of other lengths, in order or not, it gives the same records.

use crate::recut::{Random, cut_in_order, cut_up, differences, read_turns, records};

/// Checks that what is spoken in clear is read byte by byte.
pub fn check(data: &[u8]) {
    let Some((&[cuts, seed], turns)) = data.split_first_chunk::<2>() else { return };
    let turns = read_turns(turns);
    let whole = records(&turns, &mut |turn| vec![turn.clone()]);
    let mut random = Random::new(seed);
    let in_order = records(&turns, &mut |turn| cut_in_order(turn, cuts, &mut random));
    let mut random = Random::new(seed);
    let in_disorder = records(&turns, &mut |turn| cut_up(turn, cuts, &mut random));
    for cut in [in_order, in_disorder] {
        if let Some(difference) = differences(&whole, &cut) {
            panic!("{difference}");
        }
    }
}
