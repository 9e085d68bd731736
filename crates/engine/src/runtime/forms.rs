//! Which kernel forms a device gets, and which it can have.

use goldcrest_gpu::{AdapterKind, Caps, Device};
use goldcrest_kernels::{Activations, Profile, ProfileError, SOFT_LANES, TileForm};

use crate::EngineError;

/// What suits the kind of device and what it can do, with what is forced by name.
///
/// # Errors
/// [`EngineError::Profile`] for forms that do not exist, or that this device cannot have.
pub(super) fn select_profile(
    device: &dyn Device,
    forced: &[(String, String)],
) -> Result<Profile, EngineError> {
    // Software adapters and the CPU twins want kernels with few barriers.
    let preferred = match device.info().kind {
        AdapterKind::Software => Profile {
            min_blocks: software_blocks(),
            soft_subgroup: has_soft_lanes(device.caps()),
            ..Profile::SOFTWARE
        },
        AdapterKind::Cpu => Profile::SOFTWARE,
        _ => Profile { subgroups: least_lanes(device.caps()), ..Profile::CORE },
    };
    let mut profile = preferred;
    for (entry, value) in forced {
        profile = match (entry.as_str(), value.as_str()) {
            ("profile", "core") => Profile::CORE,
            ("profile", "software") => Profile::SOFTWARE,
            _ => profile.with(entry, value)?,
        };
        if let Some((entry, feature)) = lacking(&profile, device.info().kind, device.caps()) {
            return Err(ProfileError::Lacking { entry, value: value.clone(), feature }.into());
        }
    }
    Ok(profile)
}

/// The entry of a profile that asks for more than the device has, and what it would have to have.
fn lacking(profile: &Profile, kind: AdapterKind, caps: &Caps) -> Option<(&'static str, &'static str)> {
    if profile.activations == Activations::Int8 && (kind != AdapterKind::Cpu || !profile.soft) {
        return Some(("activations", "the products of the CPU's executor (adapter `cpu`, soft=true)"));
    }
    if profile.tile_form == TileForm::Dot && !caps.packed_dot {
        return Some(("tile_form", "packed_4x8_integer_dot_product"));
    }
    if profile.tile_form == TileForm::Half && !caps.f16 {
        return Some(("tile_form", "shader-f16"));
    }
    if profile.soft_subgroup && !has_soft_lanes(caps) {
        return Some(("soft_subgroup", "subgroups of eight lanes"));
    }
    if profile.subgroups > least_lanes(caps) {
        return Some(("subgroups", "subgroups of so many lanes"));
    }
    None
}

/// Refuses what loses accuracy by its nature, for results that are pinned.
///
/// # Errors
/// [`EngineError::Profile`].
pub(super) fn check_exact(profile: &Profile) -> Result<(), EngineError> {
    match profile.activations {
        Activations::Exact => Ok(()),
        Activations::Int8 => Err(ProfileError::Inexact { entry: "activations", value: "int8" }.into()),
    }
}

/// Lanes that every subgroup has, as a form takes them; 1 without subgroups.
pub(crate) fn least_lanes(caps: &Caps) -> u32 {
    caps.subgroups.map_or(1, |(least, _)| least.clamp(1, 128))
}

/// Whether every subgroup has the lanes that `matmul_soft` wants.
pub(crate) fn has_soft_lanes(caps: &Caps) -> bool {
    caps.subgroups == Some((SOFT_LANES, SOFT_LANES))
}

/// Blocks of a product on a software adapter: two a core. Fewer leave cores idle while the last one ends; each reads all of
/// the activations, which with eight rows costs as much as nine groups of weights. Browsers do not tell the cores.
fn software_blocks() -> u32 {
    let cores =
        std::thread::available_parallelism().map_or(Profile::SOFTWARE.min_blocks / 2, |n| n.get() as u32);
    (2 * cores).next_power_of_two().clamp(2, 64)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail loudly")]
    use super::*;
    use goldcrest_gpu::CpuDevice;

    #[test]
    fn a_form_that_the_device_cannot_have_is_refused_by_its_name() {
        let device = CpuDevice::twins();
        let forced = [("soft_subgroup".to_owned(), "true".to_owned())];
        let error = select_profile(&device, &forced).unwrap_err();
        let EngineError::Profile(ProfileError::Lacking { entry, feature, .. }) = error else {
            unreachable!("{error}")
        };
        assert_eq!((entry, feature), ("soft_subgroup", "subgroups of eight lanes"));

        let dot = Profile { tile_form: TileForm::Dot, ..Profile::CORE };
        let browser = Caps { packed_dot: false, ..device.caps().clone() };
        assert_eq!(
            lacking(&dot, AdapterKind::Cpu, &browser),
            Some(("tile_form", "packed_4x8_integer_dot_product"))
        );
        assert_eq!(lacking(&dot, AdapterKind::Cpu, device.caps()), None);
        let half = Profile { tile_form: TileForm::Half, ..Profile::CORE };
        assert_eq!(lacking(&half, AdapterKind::Cpu, device.caps()), Some(("tile_form", "shader-f16")));
        assert_eq!(lacking(&half, AdapterKind::Cpu, &Caps { f16: true, ..browser.clone() }), None);
        let wide = Profile { subgroups: 32, ..Profile::CORE };
        let narrow = Caps { subgroups: Some((16, 64)), ..browser };
        let missing = Some(("subgroups", "subgroups of so many lanes"));
        assert_eq!(lacking(&wide, AdapterKind::Discrete, &narrow), missing);
        assert_eq!(lacking(&Profile { subgroups: 16, ..wide }, AdapterKind::Discrete, &narrow), None);
    }

    #[test]
    fn bytes_are_for_the_products_of_the_executor_and_never_pinned() {
        let int8 = Profile { activations: Activations::Int8, ..Profile::SOFTWARE };
        let caps = CpuDevice::twins().caps().clone();
        let of = |profile, kind| lacking(&profile, kind, &caps).map(|(entry, _)| entry);
        assert_eq!(of(int8, AdapterKind::Cpu), None);
        assert_eq!(of(int8, AdapterKind::Software), Some("activations"));
        assert_eq!(of(Profile { soft: false, ..int8 }, AdapterKind::Cpu), Some("activations"));
        assert!(matches!(
            check_exact(&int8),
            Err(EngineError::Profile(ProfileError::Inexact { entry: "activations", .. }))
        ));
        assert!(check_exact(&Profile::SOFTWARE).is_ok());
    }

    #[test]
    fn lanes_are_shared_where_every_subgroup_has_eight() {
        let caps = |subgroups| Caps { subgroups, ..CpuDevice::twins().caps().clone() };
        let fits = [Some((8, 8)), Some((4, 4)), Some((4, 8)), None].map(|s| has_soft_lanes(&caps(s)));
        assert_eq!(fits, [true, false, false, false]);
    }
}
