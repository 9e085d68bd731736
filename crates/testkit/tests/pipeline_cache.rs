//! Compiled pipelines from one device to the next.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

use goldcrest_gpu::{Device, WgpuDevice, Work};
use goldcrest_kernels::Profile;
use goldcrest_kernels::ops::copy_rows::{CopyRowsArgs, copy_rows};
use goldcrest_kernels::step::STEP_BYTES;

/// Runs a kernel on `device`.
fn work(device: &dyn Device) {
    let buffer = |bytes| device.create_buffer("test", bytes).unwrap().whole();
    let (step, x, out) = (buffer(STEP_BYTES), buffer(256), buffer(256));
    device.write(&step.buffer, 0, bytemuck::bytes_of(&1u32)).unwrap();
    device.write(&x.buffer, 0, &[7; 256]).unwrap();
    let (n, n_rows, out_row) = (64, 1, 0);
    let args = CopyRowsArgs { step: &step, x: &x, out: &out, n_rows, out_row, n, x_stride: n, out_stride: n };
    let plan = device.record(vec![copy_rows(&args, &Profile::SOFTWARE).unwrap()]).unwrap();
    let read = pollster::block_on(device.submit(&[Work::all(&plan)], &[out]).unwrap()).unwrap();
    assert_eq!(read, [[7u8; 256]]);
}

#[test]
fn pipelines_are_taken_up_and_bad_bytes_ignored() {
    for (info, adapter) in pollster::block_on(WgpuDevice::adapters()) {
        let open = || pollster::block_on(WgpuDevice::open(info.clone(), &adapter)).unwrap();
        let first = open();
        assert_eq!(first.compiled_pipelines(), None, "nobody asked for it");
        first.reuse_pipelines(&|_| None);
        work(&first);
        let Some((name, bytes)) = first.compiled_pipelines() else {
            println!("skip: {} keeps no pipelines", info.name);
            continue;
        };
        println!("{}: {name}, {} bytes", info.name, bytes.len());
        let mut wrong_version = bytes.clone();
        wrong_version[9] ^= 0x40;
        for given in
            [bytes.clone(), Vec::new(), bytes[..bytes.len() - 1].to_vec(), vec![0xa5; 4096], wrong_version]
        {
            let next = open();
            next.reuse_pipelines(&|asked| (asked == name).then(|| given.clone()));
            work(&next);
            assert_eq!(next.compiled_pipelines().map(|(name, _)| name).as_ref(), Some(&name));
        }
    }
}
