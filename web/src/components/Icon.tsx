import type { VNode } from "preact";

const PATHS = {
  send: "M12 19V5M5 12l7-7 7 7",
  stop: "M7 7h10v10H7z",
  play: "M8 5l11 7-11 7z",
  pause: "M8 5v14M16 5v14",
  again: "M20 11a8 8 0 1 0-2.3 6M20 4v7h-7",
  edit: "M4 20h4L19 9l-4-4L4 16zM13.5 6.5l4 4",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  check: "M5 12.5l4.5 4.5L19 7.5",
  close: "M6 6l12 12M18 6L6 18",
  trash: "M4 7h16M9 7V4h6v3M6.5 7l1 13h9l1-13",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5",
  device: "M4 5h16v11H4zM9 20h6M12 16v4",
  models: "M12 3l8 4.5v9L12 21l-8-4.5v-9zM4 7.5l8 4.5 8-4.5M12 12v9",
  prompt: "M5 7l4 4-4 4M12 16h7",
  tokens: "M4 8h5M12 8h3M18 8h2M4 12h2M9 12h6M18 12h2M4 16h7M14 16h6",
  methods: "M5 4v6a5 5 0 0 0 5 5h9M15 11l4 4-4 4M19 6h-6",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2.5M12 19.5V22M4.5 4.5l2 2M17.5 17.5l2 2M2 12h2.5M19.5 12H22M4.5 19.5l2-2M17.5 6.5l2-2",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5z",
  auto: "M12 3a9 9 0 1 0 0 18zM12 3a9 9 0 0 1 0 18",
  new: "M12 5v14M5 12h14",
  download: "M12 4v11M7 10.5l5 5 5-5M5 20h14",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  warn: "M12 4l9 16H3zM12 10v4M12 17v.5",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  down: "M6 9l6 6 6-6",
} as const;

/** A drawing of the page's own set. */
export type IconName = keyof typeof PATHS;

/** An icon; what it means is said by the text beside it or the label of its button. */
export function Icon({ name, size = 18 }: { readonly name: IconName; readonly size?: number }): VNode {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
