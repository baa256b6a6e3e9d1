// Where to write the names of marks so that they cover neither each other nor a mark: the same search as the figures' own.
const overlap = (a, b) =>
  Math.max(0, Math.min(a.right, b.right) - Math.max(a.left, b.left)) * Math.max(0, Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top));
const around = (x, y, radius) => ({ left: x - radius, right: x + radius, top: y - radius, bottom: y + radius });
const ANGLES = [0, 1, 0.5, 1.5, 0.25, 1.75, 0.75, 1.25].map(half => half * Math.PI);

const placeLabels = (marks, frame, obstacles) => {
  const places = marks.map(mark => around(mark.x, mark.y, 8)), taken = [...obstacles, ...places];
  return marks.map(({ x, y, width, height }, own) => {
    let best = null;
    // A line to a name must not run through another mark: the name would seem to be that one's.
    const crossed = box => {
      const toX = Math.min(Math.max(x, box.left), box.right), toY = Math.min(Math.max(y, box.top), box.bottom);
      return [0.2, 0.4, 0.6, 0.8, 1].filter(part => places.some((other, i) => i !== own &&
        overlap(around(x + part * (toX - x), y + part * (toY - y), 1), other))).length;
    };
    for (const reach of [8, 16, 26, 37, 50, 64]) {
      for (const angle of ANGLES) {
        const middle = x + Math.cos(angle) * (reach + width / 2), level = y - Math.sin(angle) * (reach + height / 2);
        const box = { left: middle - width / 2, right: middle + width / 2, top: level - height / 2, bottom: level + height / 2 };
        const covered = taken.reduce((sum, other) => sum + overlap(box, other), 0);
        const badness = covered + 10 * (width * height - overlap(box, frame)) + (reach > 16 ? 300 * crossed(box) : 0);
        // The first of equals wins: distance and angle decide only where nothing is covered.
        if (!best || badness < best.badness - 1e-6) best = { box, badness, far: reach > 16 };
      }
    }
    taken.push(best.box);
    return best;
  });
};
