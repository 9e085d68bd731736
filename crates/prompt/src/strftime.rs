//! A date and time given by the caller, and its formatting. No clock is read.

use crate::error::{PromptError, unsupported};

/// Local time for templates that print the date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTime {
    /// Year, 1 to 9999.
    pub year: u16,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month, 1 to 31.
    pub day: u8,
    /// Hour, 0 to 23.
    pub hour: u8,
    /// Minute, 0 to 59.
    pub minute: u8,
    /// Second, 0 to 59.
    pub second: u8,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

impl LocalTime {
    /// The time `seconds` after 1970 in UTC; add the zone's offset for a local one.
    ///
    /// Days to dates as in H. Hinnant, "chrono-Compatible Low-Level Date Algorithms": years begin in March, so that the
    /// leap day is the last.
    #[must_use]
    pub fn from_unix(seconds: u64) -> Self {
        let (days, rest) = (seconds / 86_400, seconds % 86_400);
        let days = days + 719_468;
        let (era, of_era) = (days / 146_097, days % 146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * of_year + 2) / 153;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = era * 400 + year_of_era + u64::from(month <= 2);
        Self {
            year: u16::try_from(year).unwrap_or(9999).min(9999),
            month: month as u8,
            day: (of_year - (153 * from_march + 2) / 5 + 1) as u8,
            hour: (rest / 3600) as u8,
            minute: (rest / 60 % 60) as u8,
            second: (rest % 60) as u8,
        }
    }

    /// C's `strftime` in the C locale, for the conversions that dates and times need.
    pub(crate) fn format(&self, format: &str) -> Result<String, PromptError> {
        let mut out = String::new();
        let mut characters = format.chars();
        while let Some(character) = characters.next() {
            if character != '%' {
                out.push(character);
                continue;
            }
            let mut conversion = characters.next();
            let unpadded = conversion == Some('-');
            if unpadded {
                conversion = characters.next();
            }
            let text = self
                .convert(conversion.unwrap_or(' '))
                .ok_or_else(|| unsupported(format!("the date format %{}", conversion.unwrap_or(' '))))?;
            let trimmed = text.trim_start_matches('0');
            out.push_str(match (unpadded, trimmed.is_empty()) {
                (false, _) => &text,
                (true, false) => trimmed,
                (true, true) => "0",
            });
        }
        Ok(out)
    }

    fn convert(&self, conversion: char) -> Option<String> {
        let hour12 = if self.hour.is_multiple_of(12) { 12 } else { self.hour % 12 };
        let month = MONTHS.get(usize::from(self.month).checked_sub(1)?)?;
        let day_name = DAYS.get(self.weekday())?;
        Some(match conversion {
            'Y' => format!("{:04}", self.year),
            'y' => format!("{:02}", self.year % 100),
            'm' => format!("{:02}", self.month),
            'd' => format!("{:02}", self.day),
            'e' => format!("{:2}", self.day),
            'H' => format!("{:02}", self.hour),
            'I' => format!("{hour12:02}"),
            'M' => format!("{:02}", self.minute),
            'S' => format!("{:02}", self.second),
            'p' => if self.hour < 12 { "AM" } else { "PM" }.to_owned(),
            'B' => (*month).to_owned(),
            'b' | 'h' => month.get(..3)?.to_owned(),
            'A' => (*day_name).to_owned(),
            'a' => day_name.get(..3)?.to_owned(),
            'j' => format!("{:03}", self.day_of_year()),
            'w' => self.weekday().to_string(),
            'F' => format!("{:04}-{:02}-{:02}", self.year, self.month, self.day),
            'T' => format!("{:02}:{:02}:{:02}", self.hour, self.minute, self.second),
            'D' => format!("{:02}/{:02}/{:02}", self.month, self.day, self.year % 100),
            'R' => format!("{:02}:{:02}", self.hour, self.minute),
            '%' => "%".to_owned(),
            'n' => "\n".to_owned(),
            't' => "\t".to_owned(),
            _ => return None,
        })
    }

    /// 0 for Sunday: Sakamoto's congruence.
    fn weekday(&self) -> usize {
        const SHIFT: [usize; 12] = [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4];
        let year = usize::from(self.year) - usize::from(self.month < 3 && self.year > 0);
        let shift = SHIFT.get(usize::from(self.month).saturating_sub(1)).copied().unwrap_or(0);
        (year + year / 4 + year / 400 + shift + usize::from(self.day) + 7 * 100_000 - year / 100) % 7
    }

    fn day_of_year(&self) -> u16 {
        const BEFORE: [u16; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
        let leap =
            self.year.is_multiple_of(4) && (!self.year.is_multiple_of(100) || self.year.is_multiple_of(400));
        let before = BEFORE.get(usize::from(self.month).saturating_sub(1)).copied().unwrap_or(0);
        before + u16::from(self.day) + u16::from(leap && self.month > 2)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail loudly")]
    use super::LocalTime;

    #[test]
    fn seconds_become_dates() {
        let format = |seconds| LocalTime::from_unix(seconds).format("%Y-%m-%d %H:%M:%S").unwrap();
        // Python's datetime gives these.
        assert_eq!(format(0), "1970-01-01 00:00:00");
        assert_eq!(format(951_868_799), "2000-02-29 23:59:59");
        assert_eq!(format(1_767_323_045), "2026-01-02 03:04:05");
        assert_eq!(format(4_107_542_400), "2100-03-01 00:00:00");
        assert_eq!(LocalTime::from_unix(u64::MAX).year, 9999);
    }

    #[test]
    fn formats_dates() {
        let time = LocalTime { year: 2026, month: 1, day: 2, hour: 3, minute: 4, second: 5 };
        assert_eq!(time.format("%Y-%m-%d %H:%M:%S").unwrap(), "2026-01-02 03:04:05");
        assert_eq!(
            time.format("%A %d %B, %-d %b, %j, 100%%").unwrap(),
            "Friday 02 January, 2 Jan, 002, 100%"
        );
        let leap = LocalTime { year: 2024, month: 12, day: 31, hour: 12, minute: 0, second: 0 };
        assert_eq!(leap.format("%a %j %I %p").unwrap(), "Tue 366 12 PM");
        assert!(leap.format("%Q").is_err());
    }
}
