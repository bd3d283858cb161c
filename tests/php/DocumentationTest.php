<?php

use Jeenergie\Pages\Documentation;

/** The documentation is read inside Jeedom, also after a backup of Jeedom, which leaves every folder called docs out. */
final class DocumentationTest extends JeenergieTestCase
{
    private const ROOT = __DIR__ . '/../..';

    /** What install/backup.php of Jeedom 4.5.3 excludes; tar takes these for names at any depth. */
    private const EXCLUDED = [
        'tmp', './log', 'docs', 'doc', 'tests', 'support', 'backup', 'script/tunnel', '.git', '.gitignore', 'node_modules',
        '.log', 'core/config/common.config.php', 'data/imgOs', 'python_venv', 'resources/venv', '/vendor',
        'install/update/*.img.gz',
    ];

    private $folder;

    protected function setUp(): void
    {
        parent::setUp();
        $this->folder = jeedom::getTmpFolder() . '/documentation';
        $this->shell('rm -rf ' . $this->folder . ' && mkdir -p ' . $this->plugin() . '/data');
        $this->shell('cp -r ' . self::ROOT . '/docs ' . $this->plugin() . '/');
        $this->setStatic(Documentation::class, 'root', $this->plugin());
    }

    protected function tearDown(): void
    {
        parent::tearDown();
        $this->setStatic(Documentation::class, 'root', null);
        $this->shell('rm -rf ' . $this->folder);
    }

    private function plugin(string $jeedom = 'jeedom'): string
    {
        return $this->folder . '/' . $jeedom . '/plugins/jeenergie';
    }

    private function shell(string $command): void
    {
        exec($command . ' 2>&1', $lines, $code);
        $this->assertSame(0, $code, implode("\n", $lines));
    }

    /** What the core does: a backup, and its restoration on another machine. */
    private function backUpAndRestore(): void
    {
        jeenergie::backup();
        $excluded = implode(' ', array_map(fn(string $name): string => '--exclude="' . $name . '"', self::EXCLUDED));
        $this->shell('cd ' . $this->folder . '/jeedom && tar cfz ../backup.tar.gz ' . $excluded . ' .');
        $this->shell('mkdir ' . $this->folder . '/restored && cd ' . $this->folder . '/restored && tar xfz ../backup.tar.gz');
        $this->setStatic(Documentation::class, 'root', $this->plugin('restored'));
        $this->assertDirectoryDoesNotExist($this->plugin('restored') . '/docs');
    }

    public function testItIsTheSameAfterABackupAndARestore(): void
    {
        foreach (['fr_FR', 'en_US'] as $language) {
            $before[$language] = Documentation::pages($language);
            $this->assertSame('index', array_key_first($before[$language]));
            $this->assertSame('changelog', array_key_last($before[$language]));
            $this->assertStringContainsString('src="data:image/png;base64,', $before[$language]['index']);
        }
        $this->assertNotSame($before['fr_FR']['index'], $before['en_US']['index']);
        $this->backUpAndRestore();
        foreach ($before as $language => $pages) {
            $this->assertSame($pages, Documentation::pages($language));
        }
        $this->assertSame($before['fr_FR'], Documentation::pages('de_DE'), 'the original for others');
        jeenergie::backup();
        $this->assertSame($before['fr_FR'], Documentation::pages('fr_FR'), 'the next backup keeps the copy');
    }

    public function testTheCopyFollowsWhatItIsACopyOf(): void
    {
        jeenergie::backup();
        $copy = $this->plugin() . '/data/documentation';
        $stamp = file_get_contents($copy . '/.stamp');
        unlink($this->plugin() . '/docs/fr_FR/wes.md');
        file_put_contents($this->plugin() . '/docs/fr_FR/index.md', '# Neuf');
        jeenergie::backup();
        $this->assertNotSame($stamp, file_get_contents($copy . '/.stamp'));
        $this->assertFileDoesNotExist($copy . '/fr_FR/wes.md');
        $this->assertSame('# Neuf', file_get_contents($copy . '/fr_FR/index.md'));
        $this->assertFileDoesNotExist($copy . '.new');
    }

    public function testAnInterruptedCopyIsMadeAgain(): void
    {
        mkdir($this->plugin() . '/data/documentation.new/fr_FR', 0755, true);
        file_put_contents($this->plugin() . '/data/documentation.new/fr_FR/old.md', 'half');
        jeenergie::backup();
        $this->assertFileDoesNotExist($this->plugin() . '/data/documentation/fr_FR/old.md');
        $this->assertFileExists($this->plugin() . '/data/documentation/fr_FR/index.md');
    }

    public function testACopyThatFailsDoesNotEndTheBackup(): void
    {
        file_put_contents($this->plugin() . '/data/documentation.new', 'a file in the way');
        jeenergie::backup();
        $this->assertSame([], Memory::$logs);
        $this->shell('rm -r ' . $this->plugin() . '/data && touch ' . $this->plugin() . '/data');
        jeenergie::backup();
        $this->assertSame('warning', Memory::$logs[0][0]);
    }

    public function testWithoutEitherThereIsNothing(): void
    {
        $this->shell('rm -r ' . $this->plugin() . '/docs');
        jeenergie::backup();
        $this->assertSame([], Documentation::pages('fr_FR'));
        $this->assertSame([], Documentation::pages('../../etc'));
    }

    /** What the page does with its address: no text of it gets into the script but letters. */
    public function testThePageOpensWhereItsAddressSays(): void
    {
        $_GET = ['open' => 'wes</script>', 'section' => "l'été-2 \"</script>"];
        ob_start();
        include dirname(__DIR__, 2) . '/desktop/php/documentation.php';
        $html = ob_get_clean();
        $_GET = [];
        $this->assertSame(1, substr_count($html, '</script>'));
        preg_match('/detail: (\{.*\}) \}/', $html, $found);
        $this->assertSame(['page' => 'wesscript', 'section' => 'lété-2script'], json_decode($found[1], true));
    }
}
