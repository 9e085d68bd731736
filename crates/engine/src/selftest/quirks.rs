//! What is known of adapters, and the choice of kernel forms that a device computes rightly.

use std::rc::Rc;

use goldcrest_gguf::{GgmlType, Gguf};
use goldcrest_gpu::{AdapterInfo, AdapterKind, Device};
use goldcrest_model::Config;

use super::{rows_for, test};
use crate::EngineError;

/// Adapters whose forms need no test at every start: every change to the kernels is tested on them.
const PROVEN: &[&str] = &["llvmpipe", "swiftshader"];

/// Kernel forms to try, in this order, where the preferred ones compute wrongly: fewer barriers and no workgroup memory.
const FALLBACKS: &[&str] = &["core", "software"];

/// Runs the self-test's models that stand for this file, with the preferred kernel forms and then with plainer ones.
///
/// What comes back is to be forced in place of `forced`, with a sentence about every form that was passed over.
///
/// # Errors
/// [`EngineError::WrongResults`] if no form gives the constants; [`EngineError::Gpu`].
pub(crate) async fn select_forms(
    device: &Rc<dyn Device>,
    gguf: &Gguf,
    forced: &[(String, String)],
) -> Result<(Vec<(String, String)>, Vec<String>), EngineError> {
    let mut notes = Vec::new();
    if is_proven(device.info()) {
        return Ok((forced.to_vec(), notes));
    }
    let arch = Config::from_gguf(gguf)?.arch;
    let types: Vec<GgmlType> = gguf.tensors.iter().filter(|t| t.n_dims > 1).map(|t| t.ty).collect();
    let mut wrong = String::new();
    for fallback in [None].into_iter().chain(FALLBACKS.iter().map(Some)) {
        let mut forms: Vec<_> =
            fallback.map(|name| ("profile".to_owned(), (*name).to_owned())).into_iter().collect();
        forms.extend_from_slice(forced);
        let mut failed = None;
        for row in rows_for(arch, &types) {
            let result = test(device, &forms, row).await?;
            if !result.ok {
                failed = Some(result.name);
                break;
            }
        }
        let Some(name) = failed else { return Ok((forms, notes)) };
        let form = fallback.map_or("the preferred kernels", |name| *name);
        notes.push(format!("self-test: {form} compute {name} wrongly on {}", device.info().name));
        wrong = name;
    }
    Err(EngineError::WrongResults { adapter: device.info().name.clone(), test: wrong })
}

fn is_proven(info: &AdapterInfo) -> bool {
    let name = info.name.to_lowercase();
    info.kind == AdapterKind::Cpu || PROVEN.iter().any(|proven| name.contains(proven))
}
