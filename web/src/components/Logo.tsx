import type { VNode } from "preact";

/** A goldcrest, from the side: round, olive, with the golden stripe that it is named for. */
export function Logo({ size = 32 }: { readonly size?: number }): VNode {
  return (
    <svg class="logo" width={size} height={size} viewBox="0 0 64 64" aria-hidden="true" focusable="false">
      <path class="logo-tail" d="M14 45 3 55.5c-.8.8-.2 2 .9 1.8L19 54z" />
      <path class="logo-body" d="M51.5 24.5C51.5 14.6 44 8 35 8 25.6 8 19.6 14.3 18 22.6c-1.2 6-5.9 9.4-7.5 15.6C8 48 15.6 57 28 57c14.8 0 23.5-11.6 23.5-32.5z" />
      <path class="logo-belly" d="M51.4 27C50.6 46 42 57 28 57c-3.6 0-6.8-.8-9.5-2.1C32 54 40 46 42.6 34.4c3.6-.8 7-3.6 8.8-7.4z" />
      <path class="logo-wing" d="M12.5 41c7-1.5 13.5-6 19.5-12 2.6 10-3.5 20.5-15.5 21.5-3.5-1.8-5-5.5-4-9.5z" />
      <path class="logo-stripe" d="M21.8 15.5C25.5 8.8 36.5 6 45.5 13" />
      <path class="logo-crest" d="M23.5 13.2C28 7.6 36.8 6.4 44 11.2" />
      <circle class="logo-ring" cx="41.5" cy="21.5" r="4.6" />
      <circle class="logo-eye" cx="42" cy="21.5" r="2.9" />
      <circle class="logo-glint" cx="43" cy="20.5" r=".9" />
      <path class="logo-beak" d="M51 21.5 60.5 24.8 51.3 27.2z" />
    </svg>
  );
}
