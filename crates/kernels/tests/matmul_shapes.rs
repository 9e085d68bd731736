//! Shapes that the matrix products and the embedding refuse, and how they cut the work.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

use goldcrest_kernels::ops::embed::{EmbedArgs, Source, embed};
use goldcrest_kernels::ops::matmul::{Act, Epilogue, Experts, Matrix, MatrixPart, Norm, VecArgs, matmul_vec};
use goldcrest_kernels::ops::matmul_many::{Count, ManyArgs, matmul_many};
use goldcrest_kernels::{Format, ManyRows, Profile, ShapeError, Slice};

const fn slice(size: u64) -> Slice<()> {
    Slice { buffer: (), offset: 0, size }
}

const BIG: Slice<()> = slice(1 << 34);
const PROFILES: [Profile; 2] = [Profile::CORE, Profile::SOFTWARE];

/// A matrix whose planes end exactly where they must.
fn matrix(format: Format, n_rows: u32, k: u32) -> Matrix<()> {
    let layout = format.planes(n_rows, k);
    let part =
        MatrixPart { row0: 0, n_rows, wq: slice(layout.wq_bytes()), ws: slice(layout.ws_bytes().max(4)) };
    Matrix { format, n_rows, k, k_held: k, parts: vec![part], experts: 0, glu: false }
}

fn vec_args<'a>(matrix: &'a Matrix<()>, epilogue: &'a Epilogue<'a, ()>) -> VecArgs<'a, ()> {
    VecArgs { matrix, x: &BIG, y: &BIG, norm: None, epilogue, experts: None, dummy: &BIG }
}

fn many_args<'a>(matrix: &'a Matrix<()>, epilogue: &'a Epilogue<'a, ()>) -> ManyArgs<'a, ()> {
    let y_stride = matrix.many_width();
    let (x, y, step, dummy) = (&BIG, &BIG, &BIG, &BIG);
    ManyArgs { matrix, x, y, y_stride, epilogue, step, count: Count::Rows, max_rows: 4, dummy }
}

fn embed_args(matrix: &Matrix<()>) -> EmbedArgs<'_, ()> {
    let (mix, step, x) = (&BIG, &BIG, &BIG);
    EmbedArgs { matrix, mix, n_mix: 0, step, x, max_rows: 4, scale: 1.0, source: Source::Token, add: false }
}

/// What all three say of a matrix, which has to be the same.
fn all_refuse(matrix: &Matrix<()>) -> ShapeError {
    let epilogue = Epilogue::default();
    let of =
        |e: ShapeError| format!("{e:?}").replace("matmul_many", "matmul_vec").replace("embed", "matmul_vec");
    let mut errors = Vec::new();
    for profile in &PROFILES {
        errors.push(matmul_vec(profile, &vec_args(matrix, &epilogue)).unwrap_err());
        errors.push(matmul_many(profile, &many_args(matrix, &epilogue)).unwrap_err());
        errors.push(embed(&embed_args(matrix)).unwrap_err());
    }
    let texts: Vec<_> = errors.iter().cloned().map(of).collect();
    assert!(texts.iter().all(|t| *t == texts[0]), "{texts:?}");
    errors.remove(0)
}

#[test]
fn matrices_that_are_not_what_they_say() {
    for (format, k, multiple) in [(Format::Q4, 33, 32), (Format::F32, 0, 32), (Format::Q4K, 32, 256)] {
        let error = all_refuse(&Matrix { k, ..matrix(format, 8, 256) });
        assert_eq!(
            error,
            ShapeError::NotAMultiple { op: "matmul_vec", what: "k", found: k.into(), multiple }
        );
    }
    let mut m = matrix(Format::Q8, 20, 64);
    m.n_rows = 24;
    assert!(matches!(all_refuse(&m), ShapeError::OutOfRange { what: "rows of the parts", found: 20, .. }));
    m.n_rows = 20;
    m.parts[0].wq.size -= 4;
    assert!(matches!(all_refuse(&m), ShapeError::BufferTooSmall { what: "wq", needed: 1536, .. }));
    let mut m = matrix(Format::Q8, 20, 64);
    m.parts[0].ws.size -= 4;
    assert!(matches!(all_refuse(&m), ShapeError::BufferTooSmall { what: "ws", needed: 96, .. }));
    let mut m = matrix(Format::Q8, 20, 64);
    let part = MatrixPart { row0: 0, n_rows: 12, wq: BIG, ws: BIG };
    m.parts = vec![part.clone(), MatrixPart { row0: 12, n_rows: 8, ..part }];
    assert!(matches!(all_refuse(&m), ShapeError::NotAMultiple { what: "row0 of a part", found: 12, .. }));
}

#[test]
fn buffers_that_end_one_word_early() {
    let m = matrix(Format::Q4, 20, 64);
    let short = |bytes: u64| slice(bytes - 4);
    for profile in &PROFILES {
        let (bias, plain) = (short(80), Epilogue::default());
        let biased = Epilogue { bias: Some(&bias), ..Epilogue::default() };
        let norm = Norm { weight: &short(256), eps: 1e-5 };
        let args = vec_args(&m, &plain);
        for (what, args) in [
            ("x", VecArgs { x: &short(256), ..args }),
            ("y", VecArgs { y: &short(80), ..args }),
            ("norm", VecArgs { norm: Some(norm), ..args }),
            ("bias", VecArgs { epilogue: &biased, ..args }),
        ] {
            let error = matmul_vec(profile, &args).unwrap_err();
            assert!(
                matches!(error, ShapeError::BufferTooSmall { what: w, .. } if w == what),
                "{what}: {error}"
            );
        }
        let args = ManyArgs { y_stride: 23, ..many_args(&m, &plain) };
        for (what, args) in [
            ("x", ManyArgs { x: &short(4 * 256), ..args }),
            ("y", ManyArgs { y: &short(3 * 92 + 80), ..args }),
            ("bias", ManyArgs { epilogue: &biased, ..args }),
            ("step", ManyArgs { step: &short(goldcrest_kernels::step::STEP_BYTES), ..args }),
        ] {
            let error = matmul_many(profile, &args).unwrap_err();
            assert!(
                matches!(error, ShapeError::BufferTooSmall { what: w, .. } if w == what),
                "{what}: {error}"
            );
        }
        let exact = ManyArgs { y: &slice(3 * 92 + 80), ..args };
        assert!(matmul_many(profile, &exact).is_ok());
    }
}

#[test]
fn combinations_without_a_kernel() {
    let mut gated = matrix(Format::Q4, 8, 64);
    gated.glu = true;
    gated.parts[0].wq = BIG;
    gated.parts[0].ws = BIG;
    let experts = Matrix { experts: 3, glu: false, ..gated.clone() };
    let (add, cap) = (Epilogue { add: true, ..Epilogue::default() }, |c| Epilogue {
        softcap: Some(c),
        ..Epilogue::default()
    });
    let act = Epilogue { act: Act::Silu, ..Epilogue::default() };
    let unsupported = |e: ShapeError| assert!(matches!(e, ShapeError::Unsupported { .. }), "{e}");
    for profile in &PROFILES {
        unsupported(matmul_vec(profile, &vec_args(&gated, &add)).unwrap_err());
        unsupported(matmul_many(profile, &many_args(&gated, &act)).unwrap_err());
        unsupported(matmul_vec(profile, &vec_args(&experts, &act)).unwrap_err());
        unsupported(matmul_many(profile, &many_args(&experts, &act)).unwrap_err());
        for bad in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            unsupported(matmul_vec(profile, &vec_args(&matrix(Format::F16, 8, 32), &cap(bad))).unwrap_err());
        }
        let short = slice(4 * 4 - 4);
        let chosen = Experts { sel: &short, slots: 4, slots_per_x: 2 };
        let args = VecArgs { experts: Some(chosen), ..vec_args(&experts, &act) };
        assert!(matches!(matmul_vec(profile, &args), Err(ShapeError::BufferTooSmall { what: "sel", .. })));
    }
    unsupported(embed(&embed_args(&gated)).unwrap_err());
    unsupported(embed(&embed_args(&experts)).unwrap_err());
}

#[test]
fn grids_stay_within_what_webgpu_allows() {
    let plain = Epilogue::default();
    let large = |n_rows: u32| {
        let mut m = matrix(Format::Q4, n_rows, 32);
        m.parts[0].wq = BIG;
        m
    };
    // Eight rows a workgroup, and as many threads as a vocabulary needs to fill a GPU.
    let one_each = Profile { vec_block: 1, ..Profile::CORE };
    assert!(matmul_vec(&one_each, &vec_args(&large(8 * 65_535), &plain)).is_ok());
    let error = matmul_vec(&one_each, &vec_args(&large(8 * 65_535 + 1), &plain)).unwrap_err();
    assert_eq!(error, ShapeError::GridTooLarge { op: "matmul_vec", found: 65_536 });
    for profile in &PROFILES {
        for dispatch in matmul_vec(profile, &vec_args(&large(262_144), &plain)).unwrap() {
            assert!(dispatch.grid.iter().all(|n| (1..=65_535).contains(n)), "{:?}", dispatch.grid);
        }
    }
}

#[test]
fn the_profile_chooses_the_form() {
    let (m, plain) = (matrix(Format::Q4, 576, 576), Epilogue::default());
    let kernel = |profile: &Profile, max_rows| {
        let args = ManyArgs { max_rows, ..many_args(&m, &plain) };
        matmul_many(profile, &args).unwrap().remove(0).shader.shader().name
    };
    assert_eq!(kernel(&Profile::CORE, 8), "matmul_rows_q4");
    assert_eq!(kernel(&Profile::CORE, 9), "matmul_tile_q4");
    assert_eq!(kernel(&Profile { many: Some(ManyRows::Rows), ..Profile::CORE }, 128), "matmul_rows_q4");
    assert_eq!(kernel(&Profile::SOFTWARE, 128), "matmul_soft_q4_eight");
    let one = matmul_vec(&Profile::SOFTWARE, &vec_args(&m, &plain)).unwrap().remove(0);
    assert_eq!(one.shader.shader().name, "matmul_soft_q4_one");
    // 18 chunks by at most 8 lanes: three steps need no more than 6.
    let core = matmul_vec(&Profile::CORE, &vec_args(&m, &plain)).unwrap().remove(0);
    assert!(
        core.overrides.contains(&("L", 6.0)) && core.overrides.contains(&("T", 48.0)),
        "{:?}",
        core.overrides
    );
}
