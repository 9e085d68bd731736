//! Every kind of head against `tests/heads/golden.py`, which computes each guess from scratch in float64.

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail loudly")]

    use std::path::PathBuf;

    use serde_json::Value;

    use crate::Shape;
    use crate::speculate::heads::file::Reader;
    use crate::speculate::heads::matrix::Matrix;
    use crate::speculate::heads::vocabulary::{Embeddings, Outputs};
    use crate::speculate::heads::{Adapter, DraftHead, Fed, Guess, HeadError, HeadFile, Reach, hosted};

    /// Largest difference to float64, relative to the largest logit.
    const ROUNDING: f32 = 2e-5;
    const SHAPE: Shape = Shape { n_vocab: 12, n_embd: 8, n_layer: 4, n_ctx: 64 };

    fn folder() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/heads/tiny")
    }

    fn file(kind: &str) -> Vec<u8> {
        std::fs::read(folder().join(format!("{kind}.safetensors"))).unwrap()
    }

    fn golden() -> Value {
        serde_json::from_slice(&std::fs::read(folder().join("golden.json")).unwrap()).unwrap()
    }

    fn floats(value: &Value) -> Vec<f32> {
        value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect()
    }

    fn ids(value: &Value) -> Vec<u32> {
        value.as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as u32).collect()
    }

    /// A head with its vocabulary, the model's rows, and the tokens.
    struct Case {
        head: Box<dyn DraftHead>,
        outputs: Outputs,
        embeddings: Embeddings,
        hidden: Vec<Vec<f32>>,
        tokens: Vec<u32>,
    }

    fn case(kind: &str, golden: &Value) -> Case {
        let parsed = HeadFile::parse(file(kind)).unwrap();
        let reader = Reader { file: &parsed, shape: SHAPE };
        let all: Vec<Vec<f32>> = golden["embeddings"].as_array().unwrap().iter().map(floats).collect();
        let draft = reader.draft_tokens().unwrap().unwrap();
        assert_eq!(draft, ids(&golden["draft"]), "d2t holds offsets");
        let rows = draft.iter().flat_map(|token| all[*token as usize].clone()).collect();
        let mut embeddings = Embeddings::of(draft, Matrix::new(rows, 8));
        (0..).zip(all).for_each(|(token, row)| embeddings.insert(token, row));
        let head = hosted(&reader).unwrap().unwrap();
        let outputs = Outputs::read(&reader, head.columns(8), &embeddings, true).unwrap();
        let hidden = golden["heads"][kind]["hidden"].as_array().unwrap().iter().map(floats).collect();
        Case { head, outputs, embeddings, hidden, tokens: ids(&golden["tokens"]) }
    }

    impl Case {
        fn feed(&mut self, from: usize, to: usize) {
            let fed = |i: usize| Fed {
                hidden: &self.hidden[i],
                embedding: self.embeddings.of_token(self.tokens[i + 1]),
            };
            let rows: Vec<Fed<'_>> = (from..to).map(fed).collect();
            self.head.feed(&rows);
        }

        /// Logits behind each of several paths that lie in one tree, depth by depth as in drafting.
        fn logits(&mut self, paths: &[Vec<u32>]) -> Vec<Vec<f32>> {
            let root = *self.tokens.last().unwrap();
            let mut looked: Vec<&Vec<u32>> = Vec::new();
            let mut found = Vec::new();
            for depth in 0..=paths.iter().map(Vec::len).max().unwrap() {
                let level: Vec<&Vec<u32>> = paths.iter().filter(|path| path.len() == depth).collect();
                let guess = |path: &&Vec<u32>| {
                    let (token, above) =
                        path.split_last().map_or((&root, None), |(t, above)| (t, Some(above)));
                    let parent =
                        above.map(|above| looked.iter().position(|p| p.as_slice() == above).unwrap());
                    Guess { parent, embedding: self.embeddings.of_token(*token) }
                };
                let guesses: Vec<Guess<'_>> = level.iter().map(guess).collect();
                let asked = if self.head.one_for_all() { &guesses[..1] } else { &guesses[..] };
                let rows = self.head.behind(asked);
                let mut logits = self.outputs.logits(depth, &rows);
                logits.resize(level.len(), logits[0].clone());
                found.extend(logits);
                looked.extend(level);
            }
            found
        }
    }

    const KINDS: [&str; 7] = ["medusa", "hydra", "clover", "chimera", "eagle", "eagle3", "fspad"];

    #[test]
    fn heads_compute_what_the_reference_computes() {
        let golden = golden();
        let paths: Vec<Vec<u32>> = golden["paths"].as_array().unwrap().iter().map(ids).collect();
        for kind in KINDS {
            let wanted: Vec<Vec<f32>> =
                golden["heads"][kind]["logits"].as_array().unwrap().iter().map(floats).collect();
            let mut case = case(kind, &golden);
            let n = case.hidden.len();
            // In two parts, with guesses between them that have to be forgotten, and rows that are taken back.
            case.feed(0, n - 2);
            case.logits(&paths);
            case.head.rollback(n - 2);
            case.feed(n - 2, n);
            case.head.rollback(n - 1);
            case.feed(n - 1, n);
            for round in 0..2 {
                for ((path, got), want) in paths.iter().zip(case.logits(&paths)).zip(&wanted) {
                    let most = want.iter().fold(0.0f32, |most, v| most.max(v.abs()));
                    for (got, want) in got.iter().zip(want) {
                        assert!(
                            (got - want).abs() < ROUNDING * most,
                            "{kind}, {path:?}, round {round}: {got} {want}"
                        );
                    }
                    assert_eq!(got.len(), want.len());
                }
                case.head.rollback(n);
            }
        }
    }

    #[test]
    fn the_adapter_computes_what_the_reference_computes() {
        let golden = golden();
        let rows: Vec<Vec<f32>> = golden["adapter"]["rows"].as_array().unwrap().iter().map(floats).collect();
        let wanted: Vec<Vec<f32>> =
            golden["adapter"]["logits"].as_array().unwrap().iter().map(floats).collect();
        let mut adapter = Adapter::read(&HeadFile::parse(file("kangaroo")).unwrap(), SHAPE).unwrap();
        let all: Vec<Vec<f32>> = golden["embeddings"].as_array().unwrap().iter().map(floats).collect();
        let draft: Vec<f32> = ids(&golden["draft"]).iter().flat_map(|id| all[*id as usize].clone()).collect();
        let output = Matrix::new(draft, 8);
        assert_eq!(adapter.layer(), 2);
        // Rows that are taken back leave nothing.
        rows.iter().take(5).for_each(|row| drop(adapter.run(row)));
        adapter.run(&[9.0; 8]);
        adapter.rollback(3);
        for (row, want) in rows.iter().zip(&wanted).skip(3) {
            let most = want.iter().fold(0.0f32, |most, v| most.max(v.abs()));
            for (got, want) in output.times(&adapter.run(row)).iter().zip(want) {
                assert!((got - want).abs() < ROUNDING * most, "{got} {want}");
            }
        }
    }

    #[test]
    fn a_proposal_holds_the_best_of_the_draft_vocabulary() {
        let golden = golden();
        for kind in KINDS {
            let mut case = case(kind, &golden);
            case.feed(0, case.hidden.len());
            let first = golden["heads"][kind]["logits"][0].clone();
            let best = floats(&first).iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0;
            let reach = Reach { width: 3, depth: 3 };
            let tree = case.head.propose(2, reach, 9, &case.outputs, &case.embeddings);
            assert_eq!(tree.nodes().len(), 10, "{kind}");
            assert_eq!(tree.nodes()[1].token, ids(&golden["draft"])[best], "{kind}");
            assert!(tree.nodes().iter().all(|node| node.value <= tree.nodes()[node.parent].value), "{kind}");
        }
    }

    /// The file with a part of its header exchanged for another of the same length.
    fn changed(kind: &str, from: &str, to: &str) -> Vec<u8> {
        assert_eq!(from.len(), to.len());
        let mut bytes = file(kind);
        let at = bytes.windows(from.len()).position(|part| part == from.as_bytes()).unwrap();
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        bytes
    }

    fn refused(bytes: Vec<u8>, shape: Shape) -> HeadError {
        let parsed = match HeadFile::parse(bytes) {
            Ok(parsed) => parsed,
            Err(error) => return error,
        };
        let reader = Reader { file: &parsed, shape };
        let read = || {
            let head = hosted(&reader)?.unwrap();
            let tokens = reader.draft_tokens()?.unwrap_or_default();
            let n = tokens.len();
            let embeddings = Embeddings::of(tokens, Matrix::new(vec![0.0; n * 8], 8));
            Outputs::read(&reader, head.columns(8), &embeddings, false).map(drop)
        };
        read().unwrap_err()
    }

    #[test]
    fn files_that_do_not_fit_are_refused_by_name() {
        let missing = refused(changed("eagle", "\"fc.weight\"", "\"fc.weighs\""), SHAPE);
        assert_eq!(missing, HeadError::MissingTensor { kind: "eagle", tensor: "fc.weight".into() });
        let other = refused(file("eagle"), Shape { n_embd: 16, ..SHAPE });
        assert!(matches!(other, HeadError::WrongShape { kind: "eagle", n_embd: 16, .. }), "{other}");
        let few = refused(file("medusa"), Shape { n_vocab: 5, ..SHAPE });
        assert!(matches!(few, HeadError::UnknownToken { kind: "medusa", n_vocab: 5, .. }), "{few}");
        let shallow = refused(file("eagle3"), Shape { n_layer: 3, ..SHAPE });
        assert!(matches!(shallow, HeadError::BadSetting { kind: "eagle3", key: "layers", .. }), "{shallow}");
        let dtype = refused(changed("hydra", "\"F32\"", "\"F99\""), SHAPE);
        assert!(matches!(dtype, HeadError::WrongType { kind: "hydra", .. }), "{dtype}");
        let kind = refused(changed("medusa", "\"medusa\"", "\"medule\""), SHAPE);
        assert!(matches!(kind, HeadError::UnknownKind { .. }), "{kind}");
        let heads = refused(changed("clover", "\"n_head\": \"2\"", "\"n_head\": \"3\""), SHAPE);
        assert!(matches!(heads, HeadError::BadSetting { kind: "clover", key: "n_head", .. }), "{heads}");
        // The model's output matrix is another than its embeddings, and the file has none.
        assert_eq!(refused(file("medusa"), SHAPE), HeadError::NoOutput { kind: "medusa" });
    }

    #[test]
    fn damaged_files_are_refused_without_panic() {
        for kind in KINDS {
            let whole = file(kind);
            for n in (0..whole.len()).step_by(37) {
                assert!(
                    matches!(refused(whole[..n].to_vec(), SHAPE), HeadError::BadFile { .. }),
                    "{kind}, {n} bytes"
                );
            }
            let header = usize::try_from(u64::from_le_bytes(whole[..8].try_into().unwrap())).unwrap() + 8;
            for at in 0..header {
                let mut bytes = whole.clone();
                bytes[at] ^= 0x15;
                if let Ok(parsed) = HeadFile::parse(bytes) {
                    let reader = Reader { file: &parsed, shape: SHAPE };
                    let _either = (hosted(&reader).map(drop), reader.draft_tokens().map(drop));
                }
            }
        }
        let endless = [&u64::MAX.to_le_bytes()[..], b"{}"].concat();
        assert!(matches!(refused(endless, SHAPE), HeadError::BadFile { .. }));
    }
}
