<?php

use Jeenergie\Contract\Catalogue;
use Jeenergie\MoveIn\Recipe;

/**
 * Settings of former plugins as no version of theirs has written them: of another type, cut off, in another encoding.
 * What comes of them is a setting of this plugin or is left out, and nothing else happens. JEENERGIE_FUZZ: so many of each.
 */
final class FormerSettingsTest extends JeenergieTestCase
{
    private const JUNK = [
        null, true, false, 0, 1, -1, 2.5, 1e300, NAN, INF, '', ' ', '0', '1', 'x', "\0", "\xff\xfe", "é\u{2028}", '12.5', '1e999',
        'crypt:', 'crypt:x', '{"a":1}', '[]', '../..', '<b>', '#1#', "a\nb", [], [1], ['a' => ['b' => null]],
    ];

    /** @return array[] */
    public static function systems(): array
    {
        $files = glob(__DIR__ . '/../../core/contract/catalogue/*.json');
        $former = static fn(string $file): bool => isset(json_decode((string) file_get_contents($file), true)['former']);
        return array_map(static fn(string $file): array => [basename($file, '.json')], array_filter($files, $former));
    }

    /** @dataProvider systems */
    public function testWhateverIsStoredIsASettingOrLeftOut(string $backend): void
    {
        $this->forgetCatalogues();
        $former = Catalogue::of($backend)['former'];
        $recipe = new Recipe($former, static fn(string $text): ?string => utils::decrypt($text));
        $keys = $this->keysOf($former);
        mt_srand(1);
        $taken = 0;
        for ($case = (int) (getenv('JEENERGIE_FUZZ') ?: 300); $case > 0; $case--) {
            $connections = $recipe->connections([$this->record($keys), $this->record($keys)]);
            foreach ($connections as $connection) {
                $this->assertSettings($backend, null, $connection['config']);
                foreach ($connection['makes'] as $each) {
                    $this->assertSettings($backend, $each['type'], $each['config']);
                }
            }
            $found = $recipe->equipment($this->record($keys), $connections);
            if (isset($found['reason'])) {
                $this->assertContains($found['reason'], ['unknown', 'key', 'help']);
                continue;
            }
            $taken++;
            $this->assertNotFalse(json_encode($found['key']), 'a key that no JSON holds');
            $this->assertNotSame($found['existing'] ?? true, $found['key'] !== '');
            $this->assertSettings($backend, $found['type'], $found['config']);
        }
        $this->assertTrue($taken > 0 || $former['connections']['of'] === 'nothing');
    }

    private function assertSettings(string $backend, ?string $type, array $config): void
    {
        $known = array_column(Catalogue::fields($backend, $type), null, 'key');
        foreach ($config as $key => $value) {
            $this->assertArrayHasKey($key, $known);
            $this->assertTrue(is_string($value) || is_bool($value) || is_array($value), $key);
            $this->assertNotFalse(json_encode($value), "$key: what no JSON holds");
        }
    }

    /** @return string[] what the recipes read, and a form that fits where one is asked for */
    private function keysOf(array $former): array
    {
        $keys = [];
        array_walk_recursive($former, static function ($value, $key) use (&$keys): void {
            if ($key === 'from') {
                $keys[$value] = ['7', 'text'];
            }
        });
        foreach (array_merge($former['equipment'], $former['connections']['makes'] ?? []) as $rule) {
            foreach ($rule['match'] ?? [] as $key => $pattern) {
                $keys[$key][] = trim(explode('|', (string) $pattern)[0], '^$');
                $keys[$key][] = '#line';
            }
        }
        $keys['id'] = ['7', '8'];
        return $keys;
    }

    private function record(array $keys): array
    {
        $record = [];
        foreach ($keys as $key => $good) {
            $which = mt_rand(0, 9);
            if ($which < 6) {
                $record[$key] = $good[mt_rand(0, count($good) - 1)];
            } elseif ($which < 9) {
                $record[$key] = self::JUNK[mt_rand(0, count(self::JUNK) - 1)];
            }
        }
        return $record;
    }
}
