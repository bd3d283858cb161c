<?php

use Jeenergie\Storage\DataFolder;

/** A backup of Jeedom holds a whole copy of the daemon's data, made just before; not what is written meanwhile. */
final class BackupTest extends JeenergieTestCase
{
    private function asked(): string
    {
        return (string) @file_get_contents(DataFolder::path() . '/asked');
    }

    protected function setUp(): void
    {
        parent::setUp();
        @unlink(DataFolder::path() . '/asked');
    }

    protected function tearDown(): void
    {
        parent::tearDown();
        @unlink(DataFolder::path() . '/asked');
        @unlink(DataFolder::path() . '/store.copy.sqlite');
    }

    public function testTheDaemonIsAskedForACopy(): void
    {
        $this->startDaemon('echo', true);
        jeenergie::backup();
        $this->assertSame("backup\n", $this->asked());
    }

    public function testADaemonThatDoesNotAnswerEndsNoBackup(): void
    {
        $this->startDaemon('refuse', true);
        jeenergie::backup();
        $this->assertStringContainsString('Non', implode(' ', array_column(Memory::$logs, 1)));
    }

    public function testWithoutADaemonNothingIsAsked(): void
    {
        Memory::$config['jeenergie::socketport'] = 1;
        jeenergie::backup();
        $this->assertSame('', $this->asked());
    }

    public function testTheDatabaseStaysOutOnceThereIsACopy(): void
    {
        $this->assertSame([], jeenergie::backupExclude());
        $folder = DataFolder::path();
        $names = ['store.copy.sqlite', 'store.sqlite', 'store.sqlite-journal', 'store.sqlite.damaged-20260101-000000'];
        foreach ($names as $name) {
            touch($folder . '/' . $name);
        }
        // As the core does it, with the plugin's folder before each name.
        $excluded = '';
        foreach (jeenergie::backupExclude() as $name) {
            $this->assertStringNotContainsString('..', $name);
            $excluded .= ' --exclude="plugins/jeenergie/' . $name . '"';
        }
        $root = jeedom::getTmpFolder() . '/whole';
        $place = $root . '/plugins/jeenergie/data';
        exec('rm -rf ' . $root . ' && mkdir -p ' . $place . ' && cp -r ' . $folder . ' ' . $place . '/');
        exec('cd ' . $root . ' && tar cf ../whole.tar ' . $excluded . ' . && tar tf ../whole.tar', $packed);
        exec('rm -rf ' . $root . ' ' . $root . '.tar');
        $this->assertSame(
            ['store.copy.sqlite'],
            array_values(array_filter(array_map('basename', $packed), fn(string $name): bool => strpos($name, 'store') === 0))
        );
        foreach ($names as $name) {
            unlink($folder . '/' . $name);
        }
    }
}
