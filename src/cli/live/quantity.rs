//! Sizes and times as people write them: `100MB`, `64KiB`, `90s`, `1h`.

use std::time::Duration;

/// Bytes: a whole number with `k`, `M`, `G` or `T` (of 1000), `Ki`, `Mi`, `Gi` or `Ti` (of 1024) behind it, and `B` or
/// none.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text)?;
    let unit = unit.strip_suffix(['B', 'b']).unwrap_or(unit);
    let factor = match &*unit.to_ascii_lowercase() {
        "" => 1,
        "k" => 1_000,
        "m" => 1_000_000,
        "g" => 1_000_000_000,
        "t" => 1_000_000_000_000,
        "ki" => 1 << 10,
        "mi" => 1 << 20,
        "gi" => 1 << 30,
        "ti" => 1 << 40,
        _ => return Err("not a size: a whole number of B, kB, MB, GB, KiB, MiB or GiB, 100MB".to_owned()),
    };
    number.checked_mul(factor).ok_or_else(|| "too large".to_owned())
}

/// A time: a whole number with `ms`, `s`, `m`, `h` or `d` behind it.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text)?;
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err("not a time: a whole number of ms, s, m, h or d, 90s".to_owned()),
    };
    match number.checked_mul(milliseconds) {
        Some(0) => Err("no time at all".to_owned()),
        Some(milliseconds) => Ok(Duration::from_millis(milliseconds)),
        None => Err("too long".to_owned()),
    }
}

/// The number in front, and what is behind it.
fn split(text: &str) -> Result<(u64, &str), String> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end).unwrap_or((text, ""));
    match number.parse() {
        Ok(number) => Ok((number, unit.trim_start())),
        Err(_) => Err("not a whole number with a unit".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_sizes_with_and_without_units() {
        for (text, bytes) in
            [("4096", 4096), ("100MB", 100_000_000), ("64KiB", 65_536), ("2 GiB", 2 << 30), ("10k", 10_000)]
        {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "MB", "-1", "1.5GB", "1XB", "99999999999TB", "1e9"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn accepts_times_with_units_only() {
        for (text, milliseconds) in
            [("200ms", 200), ("90s", 90_000), ("5m", 300_000), ("1h", 3_600_000), ("1 d", 86_400_000)]
        {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in ["", "10", "h", "1w", "0s", "99999999999999999d"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
