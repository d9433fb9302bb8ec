/** What somebody does at the provider, in order. Nothing to do: nothing. */
export function ProviderSteps({ of: steps }: { of: readonly string[] }) {
  if (steps.length === 0) return null;
  if (steps.length === 1) return <p className="text-[0.8125rem] text-soft">{steps[0]}</p>;
  return (
    <ol className="list-decimal space-y-1 ps-5 text-[0.8125rem] text-soft">
      {steps.map((step) => (
        <li key={step}>{step}</li>
      ))}
    </ol>
  );
}
