//! QR codes as rows of modules.

use qrcode::{Color, EcLevel, QrCode};

/// Rows of the QR code of `text`: `1` dark, `0` light, without the quiet zone. Empty when the text is too long for one.
pub(crate) fn rows(text: &str) -> Vec<String> {
    let Ok(code) = QrCode::with_error_correction_level(text.as_bytes(), EcLevel::M) else { return Vec::new() };
    let row = |modules: &[Color]| modules.iter().map(|module| if *module == Color::Dark { '1' } else { '0' }).collect();
    code.to_colors().chunks(code.width()).map(row).collect()
}
