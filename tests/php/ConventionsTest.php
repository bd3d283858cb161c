<?php

use Jeenergie\Contract\Catalogue;

/** What Jeedom, the translators and the next reader rely on in every file of the plugin. */
final class ConventionsTest extends JeenergieTestCase
{
    private const ROOT = __DIR__ . '/../..';

    /** @return string[] content by path */
    private function files(string ...$extensions): array
    {
        $files = [];
        foreach (['core', 'desktop', 'plugin_info'] as $folder) {
            $all = new RecursiveIteratorIterator(new RecursiveDirectoryIterator(self::ROOT . '/' . $folder));
            foreach ($all as $file) {
                if (in_array($file->getExtension(), $extensions, true)) {
                    $path = substr($file->getPathname(), strlen(self::ROOT) + 1);
                    $files[$path] = file_get_contents($file->getPathname());
                }
            }
        }
        return $files;
    }

    public function testNoVendorIsNamedOutsideTheCatalogues(): void
    {
        // What is made by itself out of all systems is no vendor.
        $names = array_filter(Catalogue::backends(), fn(string $name): bool => !isset(Catalogue::of($name)['automatic']));
        // At the beginning of a word, or of a part of one: "newest" names nobody.
        $vendors = '(?<![A-Za-z])(?i:' . implode('|', $names) . ')|' . implode('|', array_map('ucfirst', $names));
        foreach ($this->files('php', 'js') as $path => $content) {
            if (strpos($path, 'core/template/') !== 0) {
                $this->assertDoesNotMatchRegularExpression('/' . $vendors . '/', $content, $path);
            }
        }
    }

    /** What runs without a user's save writes single columns: see Row. */
    public function testNoRowIsWrittenWholeWhereNoUserHasAskedForASave(): void
    {
        // Creation: new rows only. Readings: its listener, which nobody else writes. FirstSteps: on its button's click.
        // Point: the days that a user taps.
        $byUsers = ['Lifecycle', 'Discovery', 'Commands', 'PageActions', 'Automatic', 'Creation', 'Readings', 'FirstSteps', 'Point'];
        foreach ($this->files('php') as $path => $content) {
            if (strpos($path, 'core/src/') === 0 && !in_array(basename($path, '.php'), $byUsers, true)) {
                $this->assertDoesNotMatchRegularExpression('/->save\(/', $content, $path);
            }
        }
    }

    /** The core hands events to every signed-in user, whatever he may see. */
    public function testEventsAreMadeWhereTheyHoldNoWords(): void
    {
        foreach ($this->files('php') as $path => $content) {
            if (!in_array(basename($path, '.php'), ['News', 'State'], true)) {
                $this->assertDoesNotMatchRegularExpression('/event::add\(/', preg_replace('#^ \*.*$#m', '', $content), $path);
            }
        }
    }

    /** PHP's own functions say nothing when they fail. */
    public function testJsonGoesThroughOneClass(): void
    {
        foreach ($this->files('php') as $path => $content) {
            if ($path !== 'core/src/Storage/Json.php') {
                $this->assertDoesNotMatchRegularExpression('/json_(en|de)code/', $content, $path);
            }
        }
    }

    /** The core looks for its two classes of the plugin in core/class; all others stand where their names say. */
    public function testAClassIsFoundByItsName(): void
    {
        $this->assertSame(['jeenergie.class.php'], array_map('basename', glob(self::ROOT . '/core/class/*')));
        foreach (glob(self::ROOT . '/core/src/*/*.php') as $file) {
            $class = 'Jeenergie\\' . basename(dirname($file)) . '\\' . basename($file, '.php');
            $this->assertTrue(class_exists($class) || trait_exists($class), $class);
            $this->assertSame(realpath($file), (new ReflectionClass($class))->getFileName());
        }
        foreach (glob(self::ROOT . '/core/src/*', GLOB_ONLYDIR) as $folder) {
            $this->assertLessThanOrEqual(15, count(glob($folder . '/*.php')), $folder);
        }
    }

    public function testEveryImportIsUsed(): void
    {
        foreach ($this->files('php') as $path => $content) {
            preg_match_all('/^use (?:[\w\\\\]+\\\\)?(\w+);$/m', $content, $imports);
            $rest = preg_replace('/^use [\w\\\\]+;$/m', '', $content);
            foreach ($imports[1] as $name) {
                $this->assertMatchesRegularExpression('/\b' . $name . '\b/', $rest, $path);
            }
        }
    }

    /** The same words as for Python: tests/contract/plain_english.json. */
    public function testNamesAndSentencesArePlain(): void
    {
        $rules = json_decode(file_get_contents(self::ROOT . '/tests/contract/plain_english.json'), true);
        $constants = '/const (?:' . implode('|', array_keys($rules['constants'])) . ') = [\d.]/';
        foreach ($this->files('php', 'js') as $path => $content) {
            $this->assertDoesNotMatchRegularExpression($constants, $content, $path);
            preg_match_all('~/\*.*?\*/|//[^\n]*~s', $content, $comments);
            $text = preg_replace('/[\s*]+/', ' ', implode(' ', $comments[0]));
            foreach (array_keys($rules['phrases']) as $phrase) {
                $this->assertDoesNotMatchRegularExpression('/' . $phrase . '/i', $text, $path);
            }
        }
    }

    public function testNoFileIsLong(): void
    {
        foreach ($this->files('php', 'js') as $path => $content) {
            $this->assertLessThanOrEqual(400, substr_count($content, "\n"), $path);
        }
    }

    public function testTheCoreFindsNoColumnInOurClasses(): void
    {
        foreach (['jeenergie', 'jeenergieCmd'] as $class) {
            foreach ((new ReflectionClass($class))->getProperties() as $property) {
                if ($property->getDeclaringClass()->getName() === $class) {
                    $this->assertSame('_', $property->getName()[0], $class . '::' . $property->getName());
                }
            }
        }
    }

    public function testEverySentenceIsTranslated(): void
    {
        $translated = json_decode(file_get_contents(self::ROOT . '/core/i18n/en_US.json'), true);
        $missing = [];
        foreach ($this->sentences() as $path => $sentences) {
            foreach ($sentences as $sentence) {
                if (($translated['plugins/jeenergie/' . $path][$sentence] ?? '') === '') {
                    $missing[$path][] = $sentence;
                }
            }
        }
        $this->assertSame([], $missing);
    }

    /** @return string[][] French sentences by path */
    private function sentences(): array
    {
        $sentences = [];
        foreach ($this->files('php', 'js') as $path => $content) {
            preg_match_all('/__\(\s*\'((?:[^\'\\\\]|\\\\.)*)\'\s*,\s*__FILE__/', $content, $php);
            preg_match_all('/\{\{(.*?)\}\}/s', $content, $marked);
            $sentences[$path] = array_merge(array_map('stripslashes', $php[1]), $marked[1]);
        }
        $common = json_decode(file_get_contents(self::ROOT . '/core/contract/common.json'), true);
        $sentences['core/contract/common.json'] = array_merge(array_values($common['states']), $this->texts($common['settings']));
        $quantities = json_decode(file_get_contents(self::ROOT . '/core/contract/quantities.json'), true);
        $sentences['core/contract/quantities.json'] = $this->texts($quantities);
        foreach (glob(self::ROOT . '/core/contract/catalogue/*.json') as $file) {
            $catalogue = json_decode(file_get_contents($file), true);
            $sentences['core/contract/catalogue/' . basename($file)] = $this->texts($catalogue);
        }
        return array_filter($sentences);
    }

    /** Texts of a catalogue that a user reads; of a row of commands, its settings and choices. */
    private function texts(array $part): array
    {
        $texts = [];
        foreach ($part as $key => $value) {
            if ($key === 'choices') {
                array_push($texts, ...array_values($value));
            } elseif (is_array($value)) {
                array_push($texts, ...$this->texts(isset($value['logicalId']) ? array_diff_key($value, ['name' => 0, 'phases' => 0]) : $value));
            } elseif (in_array($key, ['name', 'label', 'help', 'confirm', 'keyLabel'], true)) {
                $texts[] = $value;
            }
        }
        return $texts;
    }
}
