export default {
  optimizeDeps: { exclude: ["goldcrest"] },
  worker: { format: "es" },
};
