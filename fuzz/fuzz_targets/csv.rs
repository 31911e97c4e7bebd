#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| latent_is_fuzz::outcomes("x.csv", bytes));
