#![no_main]

use latent_is_runner::{
    simulation::part_file::{PartFile, part_path},
    systems::system::System,
};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let robot = System::by_name("robot").expect("there is a robot").simulator();
    latent_is_fuzz::with_file("robot.npy", &[], |out| {
        std::fs::write(part_path(out), bytes).expect("a temporary file can be written");
        let _ = PartFile::open(out, &*robot, 4);
    });
});
