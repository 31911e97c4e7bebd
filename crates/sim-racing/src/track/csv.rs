//! Centre lines from CSV files.

use std::io::Read;

use super::{Track, error::TrackError};

impl Track {
    /// Reads a track from a CSV file: one vertex per row, `x` and `y` in metres, in driving order. Lines that
    /// begin with `#` are comments; a first row without any number is a header.
    ///
    /// ```
    /// let track = sim_racing::Track::from_csv("x,y\n0,0\n100,0\n100,80\n".as_bytes(), 15.0)?;
    /// assert_eq!(track.vertices().len(), 3);
    /// # Ok::<(), sim_racing::TrackError>(())
    /// ```
    ///
    /// # Errors
    /// [`TrackError`] with the row of the file, also for the conditions of [`Track::new`].
    pub fn from_csv(mut file: impl Read, half_width: f64) -> Result<Self, TrackError> {
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        let (mut vertices, mut rows, mut header) = (Vec::new(), Vec::new(), true);
        for (row, line) in (1..).zip(text.lines().map(str::trim)) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let fields: Vec<&str> = line.split(',').map(str::trim).collect();
            let first = std::mem::replace(&mut header, false);
            if first && fields.iter().all(|text| text.parse::<f64>().is_err()) {
                continue;
            }
            let [x, y] = fields[..] else {
                return Err(TrackError::Columns { row, found: fields.len() });
            };
            let number = |text: &str| {
                text.parse::<f64>().map_err(|_| TrackError::Number { row, text: text.to_string() })
            };
            vertices.push([number(x)?, number(y)?]);
            rows.push(row);
        }
        Self::with_rows(vertices, &rows, half_width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Track, TrackError> {
        Track::from_csv(text.as_bytes(), 5.0)
    }

    #[test]
    fn headers_comments_and_blanks_are_skipped() {
        let track = read("# a triangle\nx, y\n0, 0\n\n1.5, -2\n3e1,4\n").unwrap();
        assert_eq!(track.vertices(), [[0.0, 0.0], [1.5, -2.0], [30.0, 4.0]]);
        assert_eq!(read("0,0\n1,0\n1,1\n").unwrap().vertices().len(), 3);
    }

    #[test]
    fn bad_rows_are_named() {
        let message = |text: &str| read(text).unwrap_err().to_string();
        assert!(message("x,y\n0,0\n1,2,3\n").starts_with("row 3: expected two columns"));
        assert!(message("x,y\n0,0\n1,two\n").starts_with("row 3: `two`"));
        assert!(message("0,0\n#\n1,NaN\n1,2").starts_with("row 3: coordinates must be finite"));
        assert!(message("0,0\n1,0\n1,1\n0,0\n").starts_with("row 4 repeats the point of row 1"));
        assert!(message("0,0\n1,0\n1,0\n2,2\n").starts_with("row 3 repeats the point of row 2"));
        assert!(message("x,y\n0,0\n1,0\n").contains("at least 3 points, got 2"));
        assert!(message("").contains("got 0"));
        assert!(Track::from_csv("0,0\n1,0\n1,1".as_bytes(), 0.0).is_err());
    }
}
