//! Times as people read them.

/// A time with all digits that a run has.
pub(super) fn seconds(micros: u64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

/// A short time in the unit that fits.
pub(super) fn duration(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} us"),
        1_000..1_000_000 => format!("{} ms", decimal(micros, 1_000)),
        _ => format!("{} s", decimal(micros, 1_000_000)),
    }
}

fn decimal(micros: u64, unit: u64) -> String {
    let digits = if unit == 1_000 { 3 } else { 6 };
    let text = format!("{}.{:0digits$}", micros / unit, micros % unit);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn a_time_is_short_and_exact() {
        let times = [0, 999, 1_000, 1_250, 2_000_000, 61_000_001].map(duration);
        assert_eq!(times, ["0 us", "999 us", "1 ms", "1.25 ms", "2 s", "61.000001 s"]);
    }
}
